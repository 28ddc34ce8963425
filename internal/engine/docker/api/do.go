package api

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"github.com/moby/moby/client"
)

// Do sends a request that the client does not know, or whose answer it refuses. The path begins
// with the version of the API. The caller limits what it reads of the answer, and closes it.
func Do(ctx context.Context, cli *client.Client, method, path string, body []byte) (*http.Response, error) {
	dial := cli.Dialer()
	h := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine.invalid"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return h.Do(req)
}
