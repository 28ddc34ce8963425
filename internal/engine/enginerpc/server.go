package enginerpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
)

// Serve makes the calls of the client whose socket is a descriptor, until that ends.
func Serve(fd int, open engine.Opener) error {
	control, err := seqpacket.New(fd)
	if err != nil {
		return err
	}
	defer control.Close()
	engines := &engine.Clients{Open: open}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel() // before Wait
	for {
		_, fds, err := control.Recv(1)
		if err != nil {
			return nil // the client has ended
		}
		for _, fd := range fds {
			conn, err := connOf(fd)
			if err != nil {
				return err
			}
			all.Go(func() { serve(ctx, conn, engines) })
		}
	}
}

// serve makes one call. Whatever comes on the connection but the request and frames, and its end,
// ends the call.
func serve(ctx context.Context, socket *net.UnixConn, engines *engine.Clients) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })()
	conn := &connection{UnixConn: socket, in: json.NewDecoder(socket)}
	var r request
	if err := conn.in.Decode(&r); err != nil {
		return
	}
	e, err := engines.Get(r.At)
	if err != nil {
		conn.answer(&answer{Error: failureOf(err)})
		return
	}
	if r.Call == "ExecStream" {
		serveStream(ctx, cancel, conn, e, &r)
		return
	}
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // its end
		cancel()
	}()
	a := &answer{}
	err = call(ctx, e, &r, a, func(line string) { conn.answer(&answer{Line: line}) })
	a.Error, a.Counts = failureOf(err), e.Counts()
	conn.answer(a)
}

func call(ctx context.Context, e engine.Engine, r *request, a *answer, progress func(string)) error {
	if r.Call == "Pull" {
		return e.Pull(ctx, r.ID, progress)
	}
	if do := sharedCalls[r.Call]; do != nil {
		shared, ok := e.(engine.Shared)
		if !ok {
			return errNotShared
		}
		return do(ctx, shared, r, a)
	}
	do, ok := calls[r.Call]
	if !ok {
		return fmt.Errorf("there is no call %q", r.Call)
	}
	if r.Spec == nil {
		r.Spec = &spec{}
	}
	if r.Spec.Progress {
		r.Spec.Spec.Progress = progress
	}
	return do(ctx, e, r, a)
}
