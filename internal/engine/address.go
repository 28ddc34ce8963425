package engine

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// Address is where an engine listens.
type Address struct {
	Host string // the path of a socket; tcp://HOST:PORT; ssh://[USER@]HOST[:PORT]; kubernetes://NAMESPACE
	// TLS is for tcp the directory of ca.pem, cert.pem and key.pem, and for a cluster the
	// kubeconfig file, with a context after #; empty: that of a pod which this host is.
	TLS string
}

// Cluster begins the addresses of Kubernetes clusters, before a namespace.
const Cluster = "kubernetes://"

// IsCluster reports whether containers there are pods of a cluster. They have one life each, nothing
// of any host is mounted in them, and their images are known by name alone.
func (a Address) IsCluster() bool { return strings.HasPrefix(a.Host, Cluster) }

// Local reports whether the engine is on this host.
func (a Address) Local() bool { return strings.HasPrefix(a.Host, "/") }

// SameHost reports whether two hosts of addresses are one: /run has two names. No file is looked
// at, since a user may have chosen the path.
func SameHost(a, b string) bool { return socketName(a) == socketName(b) }

// Same reports whether two addresses are of one engine.
func (a Address) Same(b Address) bool { return SameHost(a.Host, b.Host) && a.TLS == b.TLS }

// AppendAddress appends an address to others, unless it is there already, perhaps under another name.
func AppendAddress(all []Address, at Address) []Address {
	if slices.ContainsFunc(all, at.Same) {
		return all
	}
	return append(all, at)
}

func socketName(path string) string {
	if name, ok := strings.CutPrefix(path, "/var/run/"); ok {
		return "/run/" + name
	}
	return path
}

// Opener returns the client of the engine at an address. It does not connect. Each
// main that needs engines passes one to its package.
type Opener func(Address) (Engine, error)

// Clients keeps one client for each engine.
type Clients struct {
	Open Opener // nil in a program that has no client of an engine

	mu    sync.Mutex
	known map[Address]Engine
}

// ErrNoClient is the error of Clients in a program that has no client of an engine.
var ErrNoClient = errors.New("this program has no client of a container engine")

// Get returns the client of the engine at an address; ErrNoClient.
func (c *Clients) Get(at Address) (Engine, error) {
	if c.Open == nil {
		return nil, ErrNoClient
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.known[at]; e != nil {
		return e, nil
	}
	e, err := c.Open(at)
	if err != nil {
		return nil, err
	}
	if c.known == nil {
		c.known = map[Address]Engine{}
	}
	c.known[at] = e
	return e, nil
}

// Counts are how many calls a process made to engines, and how many of them failed. An
// answer that something does not exist is not a failure, and neither is a call that was given up.
type Counts struct{ Calls, Failed uint64 }

// Counts returns those of all engines.
func (c *Clients) Counts() (all Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.known {
		one := e.Counts()
		all.Calls += one.Calls
		all.Failed += one.Failed
	}
	return all
}
