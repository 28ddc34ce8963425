package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// readyLimit is how long the API server may take to start.
const readyLimit = 3 * time.Minute

// up runs a cluster with its files in dir until standard input ends. Root is the image: the
// directory that each pod gets a copy of. It writes "ready" when there is a node. Below dir are
// admin.kubeconfig, and host.kubeconfig for the user "login-host", which has no rights.
func up(dir, root string) error {
	runtime.LockOSThread() // children end with the thread that started them
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	secrets, err := writeSecrets(dir, ports[1])
	if err != nil {
		return err
	}
	etcd := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	var started []*exec.Cmd
	defer func() {
		for i := len(started) - 1; i >= 0; i-- {
			_ = started[i].Process.Kill()
			_ = started[i].Wait()
		}
	}()
	for _, args := range [][]string{
		{"etcd", "--name", "e", "--data-dir", dir + "/etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "e=" + peer, "--unsafe-no-fsync"},
		{"apiserver", "--etcd-servers=" + etcd, fmt.Sprintf("--secure-port=%d", ports[1]), "--bind-address=127.0.0.1",
			"--endpoint-reconciler-type=none", "--cert-dir=" + dir + "/cert", "--service-account-key-file=" + secrets + "/sa.key",
			"--service-account-signing-key-file=" + secrets + "/sa.key", "--service-account-issuer=https://cluster",
			"--service-cluster-ip-range=10.79.0.0/24", "--token-auth-file=" + secrets + "/tokens.csv", "--authorization-mode=Node,RBAC",
			"--disable-admission-plugins=ServiceAccount", "--kubelet-preferred-address-types=InternalIP", "--profiling=false"},
	} {
		cmd, err := startSelf(dir, args)
		if err != nil {
			return err
		}
		started = append(started, cmd)
	}
	config, err := awaitConfig(dir)
	if err != nil {
		return err
	}
	config.QPS = -1
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	if err := awaitReady(ctx, clients); err != nil {
		return err
	}
	n := &node{clients: clients, dir: dir + "/pods", root: root, running: map[string]*box{}}
	if err := n.register(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	n.run(ctx)
	return nil
}

// awaitConfig waits until the API server has made its certificate.
func awaitConfig(dir string) (*rest.Config, error) {
	for end := time.Now().Add(readyLimit); ; time.Sleep(50 * time.Millisecond) {
		config, err := clientcmd.BuildConfigFromFlags("", dir+"/admin.kubeconfig")
		if err == nil || time.Now().After(end) {
			return config, err
		}
	}
}

func awaitReady(ctx context.Context, clients *kubernetes.Clientset) error {
	for end := time.Now().Add(readyLimit); ; {
		err := clients.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		if err == nil {
			// The namespace is made after the server is ready.
			if _, err = clients.CoreV1().Namespaces().Get(ctx, corev1.NamespaceDefault, metav1.GetOptions{}); err == nil {
				return nil
			}
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("the API server is not ready: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// startSelf starts a part of the cluster, which ends with this process.
func startSelf(dir string, args []string) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(dir, args[0]+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}

func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// writeSecrets writes keys, tokens and kubeconfig files.
func writeSecrets(dir string, port int) (secrets string, err error) {
	secrets = dir + "/secrets"
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return "", err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	admin, host := rand.Text(), rand.Text()
	err = os.WriteFile(secrets+"/sa.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600)
	tokens := admin + ",admin,admin,\"system:masters\"\n" + host + ",login-host,login-host,\n"
	err = errors.Join(err, os.WriteFile(secrets+"/tokens.csv", []byte(tokens), 0o600))
	for name, token := range map[string]string{"admin": admin, "host": host} {
		text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:%d", certificate-authority: %s/cert/apiserver.crt}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, port, dir, token)
		err = errors.Join(err, os.WriteFile(dir+"/"+name+".kubeconfig", []byte(text), 0o600))
	}
	return secrets, err
}
