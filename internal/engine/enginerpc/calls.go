package enginerpc

import (
	"context"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// calls is what a process does for its client.
var calls = map[string]func(context.Context, engine.Engine, *request, *answer) error{
	"About": func(ctx context.Context, e engine.Engine, _ *request, a *answer) (err error) {
		a.About, err = e.About(ctx)
		return err
	},
	"Remap": func(ctx context.Context, e engine.Engine, _ *request, a *answer) (err error) {
		a.Remap, err = e.Remap(ctx)
		return err
	},
	"ImageID": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Text, err = e.ImageID(ctx, r.ID)
		return err
	},
	"Image": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Image, err = e.Image(ctx, r.ID)
		return err
	},
	"ImageNames": func(_ context.Context, e engine.Engine, r *request, a *answer) error {
		a.Texts = e.ImageNames(r.ID)
		return nil
	},
	"Commit": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Text, err = e.Commit(ctx, r.ID, r.Ref)
		return err
	},
	"Find": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Container, err = e.Find(ctx, r.ID)
		return err
	},
	"List": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Containers, err = e.List(ctx, r.Size)
		return err
	},
	"Running": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Is, err = e.Running(ctx, r.ID)
		return err
	},
	"Usage": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Usage, err = e.Usage(ctx, r.ID)
		return err
	},
	"OutOfMemory": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Is, err = e.OutOfMemory(ctx, r.ID, r.Since)
		return err
	},
	"Command": func(_ context.Context, e engine.Engine, r *request, a *answer) error {
		a.Texts = e.Command(r.Spec.Spec)
		return nil
	},
	"Create": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Container, err = e.Create(ctx, r.Spec.Spec)
		return err
	},
	"ReadFile": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Bytes, err = e.ReadFile(ctx, r.ID, r.Ref)
		return err
	},
	"PutFiles": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.PutFiles(ctx, r.ID, r.Files)
	},
	"CheckMounts": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.CheckMounts(ctx, r.ID, r.Ref)
	},
	"Start": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error { return e.Start(ctx, r.ID) },
	"Stop": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.Stop(ctx, r.ID, r.Grace)
	},
	"SetLimits": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.SetLimits(ctx, r.ID, r.Limits)
	},
	"Remove": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error { return e.Remove(ctx, r.ID) },
	"Exec": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.Exec(ctx, r.ID, r.As, r.Argv)
	},
	"Rename": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.Rename(ctx, r.ID, r.Ref)
	},
	"LayerRoom": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Numbers[0], a.Numbers[1], err = e.LayerRoom(ctx, r.ID)
		return err
	},
	"CarryLayer": func(ctx context.Context, e engine.Engine, r *request, a *answer) (err error) {
		a.Text, err = e.CarryLayer(ctx, r.ID, r.Ref)
		return err
	},
	"SyncLayers": func(ctx context.Context, e engine.Engine, _ *request, _ *answer) error { return e.SyncLayers(ctx) },
	"RemoveLayers": func(ctx context.Context, e engine.Engine, r *request, _ *answer) error {
		return e.RemoveLayers(ctx, r.ID)
	},
	"LayerMarks": func(ctx context.Context, e engine.Engine, _ *request, a *answer) (err error) {
		a.Texts, err = e.LayerMarks(ctx)
		return err
	},
}

// The methods of engine.Engine. Their errors are those of the engine, or engine.ErrDown where there
// is no process.

func (c *Client) About(ctx context.Context) (engine.About, error) {
	a, err := c.call(ctx, request{Call: "About"}, nil)
	return a.About, err
}

func (c *Client) Remap(ctx context.Context) (engine.Remap, error) {
	a, err := c.call(ctx, request{Call: "Remap"}, nil)
	return a.Remap, err
}

func (c *Client) ImageID(ctx context.Context, ref string) (string, error) {
	a, err := c.call(ctx, request{Call: "ImageID", ID: ref}, nil)
	return a.Text, err
}

func (c *Client) Image(ctx context.Context, ref string) (engine.Image, error) {
	a, err := c.call(ctx, request{Call: "Image", ID: ref}, nil)
	return a.Image, err
}

func (c *Client) ImageNames(ref string) []string {
	return c.withoutContext(request{Call: "ImageNames", ID: ref}).Texts
}

func (c *Client) Pull(ctx context.Context, ref string, progress func(string)) error {
	_, err := c.call(ctx, request{Call: "Pull", ID: ref}, progress)
	return err
}

func (c *Client) Commit(ctx context.Context, id, ref string) (string, error) {
	a, err := c.call(ctx, request{Call: "Commit", ID: id, Ref: ref}, nil)
	return a.Text, err
}

func (c *Client) Find(ctx context.Context, name string) (*engine.Container, error) {
	a, err := c.call(ctx, request{Call: "Find", ID: name}, nil)
	return a.Container, err
}

func (c *Client) List(ctx context.Context, size bool) ([]*engine.Container, error) {
	a, err := c.call(ctx, request{Call: "List", Size: size}, nil)
	return a.Containers, err
}

func (c *Client) Running(ctx context.Context, id string) (bool, error) {
	a, err := c.call(ctx, request{Call: "Running", ID: id}, nil)
	return a.Is, err
}

func (c *Client) Usage(ctx context.Context, id string) (engine.Usage, error) {
	a, err := c.call(ctx, request{Call: "Usage", ID: id}, nil)
	return a.Usage, err
}

func (c *Client) OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error) {
	a, err := c.call(ctx, request{Call: "OutOfMemory", ID: id, Since: since}, nil)
	return a.Is, err
}

func (c *Client) Command(s engine.Spec) []string {
	s.Progress = nil
	return c.withoutContext(request{Call: "Command", Spec: &spec{Spec: s}}).Texts
}

func (c *Client) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	progress := s.Progress
	s.Progress = nil
	a, err := c.call(ctx, request{Call: "Create", Spec: &spec{Spec: s, Progress: progress != nil}}, progress)
	return a.Container, err
}

func (c *Client) ReadFile(ctx context.Context, id, path string) ([]byte, error) {
	a, err := c.call(ctx, request{Call: "ReadFile", ID: id, Ref: path}, nil)
	return a.Bytes, err
}

func (c *Client) PutFiles(ctx context.Context, id string, files []engine.File) error {
	_, err := c.call(ctx, request{Call: "PutFiles", ID: id, Files: files}, nil)
	return err
}

func (c *Client) CheckMounts(ctx context.Context, id, bare string) error {
	_, err := c.call(ctx, request{Call: "CheckMounts", ID: id, Ref: bare}, nil)
	return err
}

func (c *Client) Start(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{Call: "Start", ID: id}, nil)
	return err
}

func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	_, err := c.call(ctx, request{Call: "Stop", ID: id, Grace: grace}, nil)
	return err
}

func (c *Client) SetLimits(ctx context.Context, id string, l engine.Limits) error {
	_, err := c.call(ctx, request{Call: "SetLimits", ID: id, Limits: l}, nil)
	return err
}

func (c *Client) Remove(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{Call: "Remove", ID: id}, nil)
	return err
}

func (c *Client) Exec(ctx context.Context, id string, as engine.As, argv []string) error {
	_, err := c.call(ctx, request{Call: "Exec", ID: id, As: as, Argv: argv}, nil)
	return err
}

func (c *Client) Rename(ctx context.Context, id, name string) error {
	_, err := c.call(ctx, request{Call: "Rename", ID: id, Ref: name}, nil)
	return err
}

func (c *Client) LayerRoom(ctx context.Context, id string) (size, free int64, err error) {
	a, err := c.call(ctx, request{Call: "LayerRoom", ID: id}, nil)
	return a.Numbers[0], a.Numbers[1], err
}

func (c *Client) CarryLayer(ctx context.Context, id, mark string) (string, error) {
	a, err := c.call(ctx, request{Call: "CarryLayer", ID: id, Ref: mark}, nil)
	return a.Text, err
}

func (c *Client) SyncLayers(ctx context.Context) error {
	_, err := c.call(ctx, request{Call: "SyncLayers"}, nil)
	return err
}

func (c *Client) RemoveLayers(ctx context.Context, mark string) error {
	_, err := c.call(ctx, request{Call: "RemoveLayers", ID: mark}, nil)
	return err
}

func (c *Client) LayerMarks(ctx context.Context) ([]string, error) {
	a, err := c.call(ctx, request{Call: "LayerMarks"}, nil)
	return a.Texts, err
}
