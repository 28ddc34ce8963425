package kubernetes

import (
	"errors"
	"net"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestServerThatDoesNotAnswerIsDown(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for what, address := range map[string]string{"silent": silent.Addr().String(), "gone": gone.Addr().String()} {
		e, err := open("dockersh", &rest.Config{Host: "https://" + address})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := e.Find(t.Context(), "a"); !errors.Is(err, engine.ErrDown) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", what, err, time.Since(began))
		}
		if n := e.Counts(); n.Calls != 1 || n.Failed != 1 {
			t.Errorf("%s: %+v", what, n)
		}
	}
}

func TestAddressesAndFilesOfCredentials(t *testing.T) {
	for _, a := range []engine.Address{{Host: "kubernetes://"}, {Host: "kubernetes://a/b", TLS: "x"}, {Host: "tcp://a"}, {Host: "kubernetes://a", TLS: "/nonexistent"}} {
		if _, err := Open(a); err == nil {
			t.Errorf("%+v was opened", a)
		}
	}
}
