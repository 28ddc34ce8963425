package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// fakeAPI is as much of an API server as pods and Leases need that several hosts share: names that are
// taken once, versions, and preconditions. A pod that is deleted is gone at once.
type fakeAPI struct {
	// before, unless nil, is called before a request is served.
	before func(ctx context.Context)

	mu      sync.Mutex
	version int
	objects map[string]map[string]any // by path
	down    bool
}

func newFakeAPI() *fakeAPI { return &fakeAPI{objects: map[string]map[string]any{}} }

// host returns the engine of a login host.
func (f *fakeAPI) host(t testing.TB) *Engine {
	t.Helper()
	e, err := open("ns", &rest.Config{Host: "http://api", Transport: f})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// addPod makes a pod of a container that runs, and returns its id.
func (f *fakeAPI) addPod(name string) (id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pod := manifest.PodName(name)
	o := f.put("/api/v1/namespaces/ns/pods/"+pod, map[string]any{
		"metadata": map[string]any{"name": pod, "annotations": map[string]any{manifest.AnnotationName: name, manifest.AnnotationStarted: "true",
			engine.LabelOwner: "1001"}},
		"status": map[string]any{"phase": "Running"},
	})
	return idOf(metaOf(o)["uid"].(string), pod)
}

// has reports whether there is a pod of an id.
func (f *fakeAPI) has(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	uid, name, _ := splitID(id)
	o := f.objects["/api/v1/namespaces/ns/pods/"+name]
	return o != nil && metaOf(o)["uid"] == uid
}

func metaOf(o map[string]any) map[string]any { return o["metadata"].(map[string]any) }

func (f *fakeAPI) put(path string, o map[string]any) map[string]any {
	f.version++
	m := metaOf(o)
	if old := f.objects[path]; old != nil {
		m["uid"] = metaOf(old)["uid"]
	} else {
		m["uid"] = "uid" + strconv.Itoa(f.version)
	}
	m["resourceVersion"] = strconv.Itoa(f.version)
	f.objects[path] = o
	return o
}

// RoundTrip serves a request.
func (f *fakeAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.before != nil {
		f.before(r.Context())
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, io.ErrUnexpectedEOF
	}
	code, answer := f.serve(r, body)
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(bytes.NewReader(text))}, err
}

func status(code int, reason metav1.StatusReason) (int, any) {
	return code, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: int32(code), Reason: reason,
		Message: string(reason)}
}

func (f *fakeAPI) serve(r *http.Request, body []byte) (int, any) {
	path := r.URL.Path
	old := f.objects[path]
	switch {
	case r.Method == http.MethodGet && (strings.HasSuffix(path, "/leases") || strings.HasSuffix(path, "/pods")):
		items := []any{}
		key, value, _ := strings.Cut(r.URL.Query().Get("labelSelector"), "=")
		for at, o := range f.objects {
			labels, _ := metaOf(o)["labels"].(map[string]any)
			if strings.HasPrefix(at, path+"/") && labels[key] == value {
				items = append(items, o)
			}
		}
		return http.StatusOK, map[string]any{"items": items}
	case r.Method == http.MethodPatch && strings.Contains(r.Header.Get("Content-Type"), "apply"):
		var o map[string]any
		if err := json.Unmarshal(body, &o); err != nil {
			return status(http.StatusBadRequest, metav1.StatusReasonBadRequest)
		}
		return http.StatusOK, f.put(path, o)
	case old == nil:
		return status(http.StatusNotFound, metav1.StatusReasonNotFound)
	case r.Method == http.MethodGet:
		return http.StatusOK, old
	case r.Method == http.MethodPatch:
		var change struct {
			Metadata struct {
				UID         string
				Annotations map[string]any
			}
		}
		if err := json.Unmarshal(body, &change); err != nil {
			return status(http.StatusBadRequest, metav1.StatusReasonBadRequest)
		}
		if change.Metadata.UID != "" && change.Metadata.UID != metaOf(old)["uid"] {
			return status(http.StatusConflict, metav1.StatusReasonConflict)
		}
		maps.Copy(metaOf(old)["annotations"].(map[string]any), change.Metadata.Annotations)
		return http.StatusOK, f.put(path, old)
	case r.Method == http.MethodDelete:
		var o metav1.DeleteOptions
		if err := json.Unmarshal(body, &o); err != nil {
			return status(http.StatusBadRequest, metav1.StatusReasonBadRequest)
		}
		if p := o.Preconditions; p != nil {
			if p.UID != nil && string(*p.UID) != metaOf(old)["uid"] || p.ResourceVersion != nil && *p.ResourceVersion != metaOf(old)["resourceVersion"] {
				return status(http.StatusConflict, metav1.StatusReasonConflict)
			}
		}
		delete(f.objects, path)
		return status(http.StatusOK, "")
	}
	panic(fmt.Sprint(r.Method, " ", path))
}
