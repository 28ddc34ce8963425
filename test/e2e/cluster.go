package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// A Cluster is one that tests ask with all rights: the directory of admin.kubeconfig, and of
// host.kubeconfig for the user login-host.
type Cluster string

// Namespace is that of dist/kubernetes.
const Namespace = "dockersh"

// Settings are the lines for users whose containers are pods there.
func (c Cluster) Settings() []string {
	return []string{"dockersocket = kubernetes://" + Namespace, "kubeconfig = " + string(c) + "/host.kubeconfig"}
}

// The places of pods, of the claims of homes, and of the Leases of sessions.
const (
	PodsAt   = "/api/v1/namespaces/" + Namespace + "/pods/"
	ClaimsAt = "/api/v1/namespaces/" + Namespace + "/persistentvolumeclaims/"
	LeasesAt = "/apis/coordination.k8s.io/v1/namespaces/" + Namespace + "/leases/"
)

// places are where objects of a kind are made.
var places = map[string]string{
	"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/dockersh/serviceaccounts",
	"Role":          "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/roles",
	"RoleBinding":   "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/rolebindings",
	"NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/dockersh/networkpolicies",
}

// ApplyManifests makes what dist/kubernetes has, unless it is there. The user of the login host has a
// token here, in place of a service account.
func (c Cluster) ApplyManifests() error {
	text, err := os.ReadFile(os.Getenv("REPO") + "/dist/kubernetes/dockersh.yaml")
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte("{kind: ServiceAccount, name: login-host, namespace: dockersh}"),
		[]byte("{kind: User, apiGroup: rbac.authorization.k8s.io, name: login-host}"))
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var of struct{ Kind string }
		json, err := yaml.YAMLToJSON([]byte(doc))
		if err := errors.Join(err, yaml.Unmarshal([]byte(doc), &of)); err != nil {
			return err
		}
		if err := c.Make(places[of.Kind]+"?fieldValidation=Strict", string(json)); err != nil {
			return fmt.Errorf("%s: %w", of.Kind, err)
		}
	}
	return nil
}

// Make makes an object, unless it is there.
func (c Cluster) Make(at, json string) error {
	_, err := c.Ask(http.MethodPost, at, []byte(json))
	if err != nil && strings.Contains(err.Error(), "AlreadyExists") {
		err = nil
	}
	return err
}

// Ask asks the API server. An answer that is not a success is an error.
func (c Cluster) Ask(method, path string, body []byte) (string, error) {
	config, err := os.ReadFile(string(c) + "/admin.kubeconfig")
	if err != nil {
		return "", err
	}
	value := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindSubmatch(config); m != nil {
			return string(m[1])
		}
		return ""
	}
	authority, err := os.ReadFile(value(`certificate-authority: ([^}]*)`))
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	r, err := http.NewRequest(method, value(`server: "([^"]*)"`)+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+value(`token: (\w+)`))
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	client := &http.Client{Timeout: Limit,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return string(text), err
}

// PodsWith returns the names of the pods with an annotation.
func (c Cluster) PodsWith(key, value string) (names []string, err error) {
	return c.NamesWith(PodsAt, key, value)
}

// NamesWith returns the names of the objects at a place that have an annotation.
func (c Cluster) NamesWith(at, key, value string) (names []string, err error) {
	text, err := c.Ask(http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	var all struct {
		Items []struct {
			Metadata struct {
				Name        string
				Annotations map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, err
	}
	for _, p := range all.Items {
		if p.Metadata.Annotations[key] == value {
			names = append(names, p.Metadata.Name)
		}
	}
	return names, nil
}

// RemovePod removes a pod at once.
func (c Cluster) RemovePod(name string) error {
	_, err := c.Ask(http.MethodDelete, PodsAt+name+"?gracePeriodSeconds=0", nil)
	return err
}
