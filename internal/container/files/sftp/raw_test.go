package sftp

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// rawClient sends packets as they are.
type rawClient struct {
	testing.TB
	in  io.Writer
	out io.Reader
	id  uint32
}

func raw(t *testing.T, args ...string) *rawClient {
	t.Helper()
	t.Chdir(t.TempDir())
	in, out, _ := session(t, args...)
	c := &rawClient{TB: t, in: in, out: out}
	if _, err := in.Write(finish(appendU32(newPacket(typeInit), 3))); err != nil {
		t.Fatal(err)
	}
	if b := c.packet(); b[0] != typeVersion {
		t.Fatalf("type %d", b[0])
	}
	return c
}

func (c *rawClient) send(kind byte, body []byte) {
	c.Helper()
	c.id++
	if _, err := c.in.Write(finish(append(appendU32(newPacket(kind), c.id), body...))); err != nil {
		c.Fatal(err)
	}
}

func (c *rawClient) packet() []byte {
	c.Helper()
	var n [4]byte
	if _, err := io.ReadFull(c.out, n[:]); err != nil {
		c.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint32(n[:]))
	if _, err := io.ReadFull(c.out, b); err != nil {
		c.Fatal(err)
	}
	return b
}

// next returns the fields of the next answer, behind its id.
func (c *rawClient) next() *reader {
	c.Helper()
	return &reader{b: c.packet()[5:]}
}

// call sends a request and returns the fields of its answer.
func (c *rawClient) call(kind byte, body []byte) *reader {
	c.Helper()
	c.send(kind, body)
	return c.next()
}

// status sends a request that is answered by a status, and returns its code.
func (c *rawClient) status(kind byte, body []byte) uint32 {
	c.Helper()
	c.send(kind, body)
	b := c.packet()
	if id := binary.BigEndian.Uint32(b[1:]); b[0] != typeStatus || id != c.id {
		c.Fatalf("type %d, id %d", b[0], id)
	}
	return binary.BigEndian.Uint32(b[5:])
}

func TestBrokenRequestsAreRefused(t *testing.T) {
	c := raw(t)
	long := appendU32(nil, 1<<31)
	for _, kind := range []byte{typeOpen, typeRead, typeWrite, typeFstat, typeFsetstat, typeMkdir, typeRename, typeRemove, typeRmdir, typeRealpath, typeExtended} {
		for _, body := range [][]byte{nil, long, {0, 0}} {
			if code := c.status(kind, body); code != statusBadMessage {
				t.Errorf("type %d with %d bytes: status %d", kind, len(body), code)
			}
		}
	}
	for _, extension := range []string{extFsync, extLsetstat, extCopyData, extExpandPath, extStatVFS, extFstatVFS, extHome, extNames} {
		if code := c.status(typeExtended, appendStr(nil, extension)); code != statusBadMessage {
			t.Errorf("%s: status %d", extension, code)
		}
	}
	if code := c.status(typeExtended, call(extNames, "123", "")); code != statusBadMessage {
		t.Errorf("three bytes of a number: status %d", code)
	}
	for _, kind := range []byte{0, 21, 99, typeStatus, 255} {
		if code := c.status(kind, nil); code != statusUnsupported {
			t.Errorf("type %d: status %d", kind, code)
		}
	}
	if code := c.status(typeExtended, appendStr(nil, "no-such-extension")); code != statusUnsupported {
		t.Errorf("status %d", code)
	}
}

func TestConnectionEndsAtPacketsThatAreNone(t *testing.T) {
	begin := string(finish(appendU32(newPacket(typeInit), 3)))
	for _, c := range []struct{ what, bytes string }{
		{"a length of nothing", "\x00\x00\x00\x00\x01\x00\x00\x00\x03"},
		{"a length of everything", "\xff\xff\xff\xff\x01\x00\x00\x00\x03"},
		{"a request before the first packet", "\x00\x00\x00\x05\x10\x00\x00\x00\x03"},
		{"another first packet", begin + begin},
		{"a packet that ends early", begin + "\x00\x00\x00\x09\x04"},
		{"a body that ends early", begin + "\x00\x00\x00\x20\x10\x00\x00\x00\x01\x00\x00"},
		{"a field that does not fit", begin + "\x00\x00\x00\x09\x04\x00\x00\x00\x01\x00\x00\x00\xff"},
	} {
		in, out, ended := session(t)
		go func() { _, _ = io.Copy(io.Discard, out) }()
		_, _ = io.WriteString(in, c.bytes)
		_ = in.(io.Closer).Close()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: no error", c.what)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the server is still there", c.what)
		}
	}
}

// Whatever a client sends: the server ends, and each answer is a packet. It is read-only,
// for the host's sake.
func FuzzServer(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.sftp")
	if len(seeds) == 0 {
		f.Fatal("there are no seeds")
	}
	for _, s := range seeds {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, out, ended := session(t, "-R", "-p", "open,read,write,close,fstat,lstat,stat,opendir,readdir,setstat,fsetstat,realpath,readlink,symlink,fsync,lsetstat,copy-data,limits,expand-path,posix-rename,hardlink,statvfs,fstatvfs,home-directory,users-groups-by-id")
		go func() {
			_, _ = in.Write(finish(appendU32(newPacket(typeInit), 3)))
			_, _ = in.Write(b)
			_ = in.Close()
		}()
		for {
			var head [5]byte
			if _, err := io.ReadFull(out, head[:]); err != nil {
				break
			}
			length := int64(binary.BigEndian.Uint32(head[:]))
			if kind := head[4]; length < 5 || length > maxPacket || kind != typeVersion && kind != typeExtendedReply && (kind < typeStatus || kind > 105) {
				t.Fatalf("an answer of type %d with %d bytes", kind, length)
			}
			if _, err := io.CopyN(io.Discard, out, length-1); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatal("the server is still there")
		}
	})
}
