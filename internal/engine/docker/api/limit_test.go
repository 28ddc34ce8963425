package api

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestDescriptionOfAnImageHasALimit(t *testing.T) {
	for path, limited := range map[string]bool{
		"/v1.41/images/sha256:1/json": true, "/images/a/b/json": true,
		"/v1.41/containers/json": false, "/v1.41/containers/images/json/archive": false, "/v1.41/images/create": false,
	} {
		r := &http.Response{Request: &http.Request{URL: &url.URL{Path: path}}, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", maxImageAnswer+1)))}
		limitImageAnswer(r)
		if b, err := io.ReadAll(r.Body); (err != nil) != limited || len(b) < maxImageAnswer {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
	}
}
