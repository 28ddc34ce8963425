package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// right is a verb on what a group of the API has, in our namespace or in another one.
type right struct{ verb, group, resource, elsewhere string }

func (r right) String() string {
	if r.elsewhere != "" {
		return r.verb + " " + r.resource + " in " + r.elsewhere
	}
	return r.verb + " " + r.resource
}

// needed are the rights of dist/kubernetes/dockersh.yaml.
func needed() (all []right) {
	for resource, verbs := range map[string]string{
		"pods": "get list watch create patch delete", "pods/exec": "get create", "persistentvolumeclaims": "get create", "events": "list",
	} {
		for verb := range strings.FieldsSeq(verbs) {
			all = append(all, right{verb: verb, resource: resource})
		}
	}
	for verb := range strings.FieldsSeq("list create patch delete") {
		all = append(all, right{verb: verb, group: "coordination.k8s.io", resource: "leases"})
	}
	return append(all, right{verb: "get", group: "metrics.k8s.io", resource: "pods"})
}

// excess are rights that a role has which was made for more: whoever is root on this host, or gets at
// its token, has them.
var excess = []right{
	{verb: "get", resource: "secrets"}, {verb: "list", resource: "secrets"},
	{verb: "create", resource: "serviceaccounts/token"},
	{verb: "deletecollection", resource: "pods"}, {verb: "update", resource: "pods"},
	{verb: "delete", resource: "persistentvolumeclaims"}, {verb: "get", resource: "nodes/proxy"}, {verb: "patch", resource: "nodes"},
	{verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings"},
	{verb: "deletecollection", group: "coordination.k8s.io", resource: "leases"},
	{verb: "delete", group: "networking.k8s.io", resource: "networkpolicies"},
	{verb: "create", resource: "pods", elsewhere: "kube-system"}, {verb: "get", resource: "secrets", elsewhere: "kube-system"},
}

// rights returns which rights are missing, and which are too many.
func (e *Engine) rights(ctx context.Context) (missing, tooMany []string, err error) {
	var mu sync.Mutex
	var work sync.WaitGroup
	ask := func(all []right, wrong bool, to *[]string) {
		for _, r := range all {
			work.Go(func() {
				may, askErr := e.may(ctx, r)
				mu.Lock()
				defer mu.Unlock()
				if askErr != nil {
					err = askErr
				} else if may == wrong {
					*to = append(*to, r.String())
				}
			})
		}
	}
	ask(needed(), false, &missing)
	ask(excess, true, &tooMany)
	work.Wait()
	slices.Sort(missing)
	slices.Sort(tooMany)
	return missing, tooMany, err
}

// may asks the API server whether we have a right (SelfSubjectAccessReview).
func (e *Engine) may(ctx context.Context, r right) (bool, error) {
	resource, sub, _ := strings.Cut(r.resource, "/")
	namespace := e.namespace
	if r.elsewhere != "" {
		namespace = r.elsewhere
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]string{
			"namespace": namespace, "verb": r.verb, "group": r.group, "resource": resource, "subresource": sub,
		}},
	})
	if err != nil {
		return false, err
	}
	var answer struct{ Status struct{ Allowed bool } }
	err = e.call(ctx, func(ctx context.Context) error {
		at := *e.core.Get().URL()
		at.Path, at.RawQuery = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ""
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := e.http.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusCreated {
			return fmt.Errorf("a review of our rights: %s", response.Status)
		}
		return json.NewDecoder(response.Body).Decode(&answer)
	})
	return answer.Status.Allowed, err
}
