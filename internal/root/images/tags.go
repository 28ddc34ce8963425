package images

import (
	"context"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
)

// tagAge is how often the engine is asked which image is behind a tag.
const tagAge = 5 * time.Minute

// tagLimit is how long its answer may take.
const tagLimit = 10 * time.Second

// Tags remembers which image is behind a tag. The engine is asked in the background: a
// login takes the answer that an earlier one asked for.
type Tags struct {
	ctx     context.Context
	engines *engine.Clients

	mu    sync.Mutex
	known map[tag]*tagged
}

// NewTags returns Tags that ask these engines until ctx ends.
func NewTags(ctx context.Context, engines *engine.Clients) *Tags {
	return &Tags{ctx: ctx, engines: engines}
}

type tag struct {
	at  engine.Address
	ref string
}

type tagged struct {
	id    string // empty: not known
	asked time.Time
}

// IsOutdated reports whether another image than the container's is behind the tag, as far
// as is known, and asks again if the answer is old.
func (t *Tags) IsOutdated(at engine.Address, made state.Made) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := tag{at, made.Image}
	known := t.known[key]
	if known == nil {
		if t.known == nil {
			t.known = map[tag]*tagged{}
		}
		known = &tagged{}
		t.known[key] = known
	}
	if time.Since(known.asked) > tagAge {
		known.asked = time.Now()
		go t.refresh(key)
	}
	return known.id != "" && known.id != made.ImageID
}

func (t *Tags) refresh(key tag) {
	ctx, cancel := context.WithTimeout(t.ctx, tagLimit)
	defer cancel()
	id := ""
	if e, err := t.engines.Get(key.at); err == nil {
		id, _ = e.ImageID(ctx, key.ref) // without an answer there is no notice
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[key].id = id
}
