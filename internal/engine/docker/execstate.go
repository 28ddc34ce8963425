package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// execState asks whether a program that exec started has ended, and how.
func (e *Engine) execState(ctx context.Context, cli *client.Client, id string) (code int, ended bool, err error) {
	if !e.program().looseExec {
		r, err := cli.ExecInspect(ctx, id, client.ExecInspectOptions{})
		return r.ExitCode, !r.Running, err
	}
	// The client wants bytes for a field that is text here, and refuses the answer.
	h := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", e.socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine.invalid/v"+cli.ClientVersion()+"/exec/"+id+"/json", nil)
	if err != nil {
		return 0, false, err
	}
	r, err := h.Do(req)
	if err != nil {
		return 0, false, err
	}
	defer r.Body.Close()
	switch r.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return 0, false, cerrdefs.ErrNotFound.WithMessage("no exec " + id)
	default:
		return 0, false, fmt.Errorf("exec %s: the engine answers %s", id, r.Status)
	}
	var state struct {
		Running  bool
		ExitCode int
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&state)
	return state.ExitCode, !state.Running, err
}
