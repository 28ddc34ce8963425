package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxImageAnswer is how much an engine may send about one image, in bytes: an image can have
// labels of any length, and every user's container of it has them, too.
const maxImageAnswer = 256 << 10

// limitImageAnswer makes reading an answer that describes an image end with an error once
// it is too long. No container is made of such an image.
func limitImageAnswer(r *http.Response) {
	if r.Request != nil && strings.Contains(r.Request.URL.Path, "/images/") && strings.HasSuffix(r.Request.URL.Path, "/json") &&
		!strings.HasSuffix(r.Request.URL.Path, "/images/json") {
		r.Body = &limitedBody{r.Body, maxImageAnswer}
	}
}

type limitedBody struct {
	io.ReadCloser
	left int // bytes
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the engine sends more than %d KiB about an image", maxImageAnswer>>10)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
