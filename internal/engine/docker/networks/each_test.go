package networks

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
)

// Podman 4.3 looks at all containers to show a network, and fails if one is removed meanwhile.
func TestNetworkOfAContainerMayExist(t *testing.T) {
	for status, ok := range map[int]bool{http.StatusOK: true, http.StatusConflict: true, http.StatusInternalServerError: false} {
		l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		s := http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.Method == http.MethodPost:
				w.WriteHeader(status)
			case strings.Contains(r.URL.Path, "/networks/"):
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = w.Write([]byte("{}"))
		})}
		go func() { _ = s.Serve(l) }()
		t.Cleanup(func() { _ = s.Close() })
		conn := api.New(&transport.Transport{URL: "unix://" + l.Addr().String(), Socket: l.Addr().String()})
		t.Cleanup(func() { _ = conn.Close() })
		if err := Make(t.Context(), conn, "dockersh-x"); (err == nil) != ok {
			t.Errorf("%d: %v", status, err)
		}
	}
}
