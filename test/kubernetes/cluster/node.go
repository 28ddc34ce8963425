package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/retry"
)

const nodeName = "node"

// missingImage begins the names of images that no registry has.
const missingImage = "missing"

// fullCPU is a request of processors that no node has room for.
const fullCPU = 64

// node is scheduler and kubelet.
type node struct {
	clients   *kubernetes.Clientset
	dir, root string

	mu      sync.Mutex
	running map[string]*box // by the pod's uid
}

// box is a pod on the node.
type box struct {
	dir  string
	end  context.CancelFunc
	over chan struct{}

	mu   sync.Mutex
	pids map[string]int // of the first process of containers that run
	pod  *corev1.Pod
}

// register makes the node, with its address for execs.
func (n *node) register(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(n.serveExec), TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}} // upgrades are of HTTP/1
	go func() { _ = server.ServeTLS(l, "", "") }()
	made, err := n.clients.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	made.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(l.Addr().(*net.TCPAddr).Port)
	made.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	_, err = n.clients.CoreV1().Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// run follows the pods of all namespaces until the context ends.
func (n *node) run(ctx context.Context) {
	for ctx.Err() == nil {
		all, err := n.clients.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		for i := range all.Items {
			n.follow(ctx, &all.Items[i])
		}
		changes, err := n.clients.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{ResourceVersion: all.ResourceVersion})
		if err != nil {
			continue
		}
		for change := range changes.ResultChan() {
			if p, ok := change.Object.(*corev1.Pod); ok {
				if change.Type == "DELETED" {
					p.DeletionTimestamp = &metav1.Time{Time: time.Now()}
				}
				n.follow(ctx, p)
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.running {
		b.end()
		<-b.over
		b.unmount()
	}
}

// follow starts or ends a pod.
func (n *node) follow(ctx context.Context, p *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.running[string(p.UID)]
	switch {
	case b == nil && p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodPending:
		ctx, end := context.WithCancel(ctx)
		b = &box{dir: n.dir + "/" + string(p.UID), end: end, over: make(chan struct{}), pids: map[string]int{}, pod: p}
		n.running[string(p.UID)] = b
		go func() { defer close(b.over); n.live(ctx, b) }()
	case p.DeletionTimestamp != nil:
		go n.remove(p, b)
		delete(n.running, string(p.UID))
	}
}

// remove ends a pod, and lets the API server forget it.
func (n *node) remove(p *corev1.Pod, b *box) {
	if b != nil {
		b.signal(syscall.SIGTERM)
		grace := time.Second
		if s := p.DeletionGracePeriodSeconds; s != nil {
			grace = time.Duration(*s) * time.Second
		}
		select {
		case <-b.over:
		case <-time.After(grace):
		}
		b.end()
		<-b.over
		b.unmount()
		_ = os.RemoveAll(b.dir)
	}
	now := int64(0)
	_ = n.clients.CoreV1().Pods(p.Namespace).Delete(context.Background(), p.Name,
		metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(p.UID))})
}

func (b *box) signal(sig syscall.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pid := range b.pids {
		_ = syscall.Kill(pid, sig)
	}
}

// live is the life of a pod.
func (n *node) live(ctx context.Context, b *box) {
	runtime.LockOSThread() // its processes end with the thread that started them
	for _, c := range append(append([]corev1.Container{}, b.pod.Spec.InitContainers...), b.pod.Spec.Containers...) {
		if cpu := c.Resources.Requests.Cpu(); cpu.Value() >= fullCPU {
			n.update(b, func(s *corev1.PodStatus) {
				s.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available"}}
			})
			return
		}
	}
	err := n.clients.CoreV1().Pods(b.pod.Namespace).Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: b.pod.Name, UID: b.pod.UID},
		Target: corev1.ObjectReference{Kind: "Node", Name: nodeName}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsConflict(err) {
		fmt.Fprintln(os.Stderr, "bind", b.pod.Name, err)
		return
	}
	n.event(ctx, b.pod, "Pulling", "Pulling image")
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	if out, err := exec.Command("cp", "-a", n.root+"/.", b.dir).CombinedOutput(); err != nil {
		fmt.Fprintln(os.Stderr, err, string(out))
		return
	}
	for i := range b.pod.Spec.InitContainers {
		if code := n.container(ctx, b, &b.pod.Spec.InitContainers[i], true); code != 0 {
			n.update(b, func(s *corev1.PodStatus) { s.Phase = corev1.PodFailed })
			return
		}
	}
	phase := corev1.PodSucceeded
	for i := range b.pod.Spec.Containers {
		if code := n.container(ctx, b, &b.pod.Spec.Containers[i], false); code != 0 {
			phase = corev1.PodFailed
		}
	}
	n.update(b, func(s *corev1.PodStatus) { s.Phase = phase })
}

// container runs one container to its end and returns its exit code.
func (n *node) container(ctx context.Context, b *box, c *corev1.Container, init bool) (code int32) {
	set := func(state corev1.ContainerState, phase corev1.PodPhase) {
		n.update(b, func(s *corev1.PodStatus) {
			all := &s.ContainerStatuses
			if init {
				all = &s.InitContainerStatuses
			}
			status := corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: state.Running != nil, State: state}
			for i := range *all {
				if (*all)[i].Name == c.Name {
					(*all)[i] = status
					s.Phase = phase
					return
				}
			}
			*all, s.Phase = append(*all, status), phase
		})
	}
	phase := corev1.PodRunning
	if init {
		phase = corev1.PodPending
	}
	waiting := func(reason, text string) {
		set(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: text}}, corev1.PodPending)
		<-ctx.Done()
	}
	if strings.HasPrefix(c.Image, missingImage) {
		waiting("ImagePullBackOff", "Back-off pulling image "+c.Image)
		return 1
	}
	for _, m := range c.VolumeMounts {
		if err := b.mount(m); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	argv := append(append([]string{}, c.Command...), c.Args...)
	if len(argv) == 0 {
		argv = []string{"/bin/sh"}
	}
	cmd := &exec.Cmd{Path: argv[0], Args: argv, Dir: "/", Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}}
	for _, e := range c.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+strings.ReplaceAll(e.Value, "$$", "$"))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: b.dir, Credential: credentialOf(b.pod), Setsid: true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	started := metav1.Now()
	if err := cmd.Start(); err != nil {
		waiting("RunContainerError", err.Error())
		return 1
	}
	b.mu.Lock()
	b.pids[c.Name] = cmd.Process.Pid
	b.mu.Unlock()
	set(corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}, phase)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	stop()
	b.mu.Lock()
	delete(b.pids, c.Name)
	b.mu.Unlock()
	code = int32(exitCode(cmd.ProcessState))
	set(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, StartedAt: started, FinishedAt: metav1.Now()}}, phase)
	return code
}

// mount makes what a mount shows. What comes from an annotation is the root user's.
func (b *box) mount(m corev1.VolumeMount) error {
	at := b.dir + m.MountPath
	for _, v := range b.pod.Spec.Volumes {
		if v.Name != m.Name {
			continue
		}
		if v.PersistentVolumeClaim != nil {
			claim := b.dir + "/../claim-" + v.PersistentVolumeClaim.ClaimName
			return errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.MkdirAll(claim, 0o777), os.Chmod(claim, 0o777), os.MkdirAll(at, 0o777),
				syscall.Mount(claim, at, "", syscall.MS_BIND, ""))
		}
		if v.EmptyDir != nil {
			return errors.Join(os.MkdirAll(at, 0o777), os.Chmod(at, 0o777))
		}
		for _, item := range v.DownwardAPI.Items {
			key, ok := strings.CutPrefix(item.FieldRef.FieldPath, "metadata.annotations['")
			if ok && item.Path == m.SubPath {
				return errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(b.pod.Annotations[strings.TrimSuffix(key, "']")]), 0o644))
			}
		}
	}
	return fmt.Errorf("there is no volume for %s", m.MountPath)
}

// unmount unmounts claims: nothing of them is removed with a pod.
func (b *box) unmount() {
	for _, m := range b.pod.Spec.Containers[0].VolumeMounts {
		_ = syscall.Unmount(b.dir+m.MountPath, syscall.MNT_DETACH)
	}
}

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

func credentialOf(p *corev1.Pod) *syscall.Credential {
	c := &syscall.Credential{}
	if s := p.Spec.SecurityContext; s != nil {
		if s.RunAsUser != nil {
			c.Uid = uint32(*s.RunAsUser)
		}
		if s.RunAsGroup != nil {
			c.Gid = uint32(*s.RunAsGroup)
		}
		for _, g := range s.SupplementalGroups {
			c.Groups = append(c.Groups, uint32(g))
		}
	}
	return c
}

// update changes the status of a pod.
func (n *node) update(b *box, change func(*corev1.PodStatus)) {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		p, err := n.clients.CoreV1().Pods(b.pod.Namespace).Get(context.Background(), b.pod.Name, metav1.GetOptions{})
		if err != nil || p.UID != b.pod.UID {
			return nil
		}
		change(&p.Status)
		_, err = n.clients.CoreV1().Pods(p.Namespace).UpdateStatus(context.Background(), p, metav1.UpdateOptions{})
		return err
	})
	if err != nil && !apierrors.IsNotFound(err) {
		fmt.Fprintln(os.Stderr, "status of", b.pod.Name, err)
	}
}

func (n *node) event(ctx context.Context, p *corev1.Pod, reason, text string) {
	_, _ = n.clients.CoreV1().Events(p.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: p.Name + "-", Namespace: p.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: types.UID(p.UID)},
		Reason:         reason, Message: text, Type: corev1.EventTypeNormal, FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(),
	}, metav1.CreateOptions{})
}
