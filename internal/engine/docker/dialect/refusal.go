package dialect

import (
	"regexp"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// refusal is an error of Docker or Podman that an administrator can do something about.
type refusal struct {
	words []string // one of them is in the engine's text, in lower case
	code  usererr.Code
	text  string
	hint  string // ENGINE stands for the engine's program
}

var refusals = [...]refusal{
	{[]string{"non-overlapping ipv4 address pool", "all predefined address pools", "could not find free subnet"}, usererr.Container,
		"the container engine has no free range of addresses for another network",
		"ask the administrator to run: ENGINE network prune (or to give the engine more address pools)"},
	{[]string{"no available ipv4 addresses", "no available addresses", "no free ip", "find a free ip", "find free ip", "all available ips"},
		usererr.Container,
		"the container network has no free address",
		"ask the administrator to run: ENGINE ps (and to stop containers that nobody needs, or to give the network a larger subnet)"},
	{[]string{"port is already allocated", "address already in use", "ports are not available"}, usererr.Settings,
		"a port that the settings publish is taken on the host",
		"ask the administrator to run: dockershctl explain USER (and to change the port in dockeropt)"},
	{[]string{"session keyring", "create session key"}, usererr.Container,
		"the kernel has no room for another keyring of the container engine",
		"ask the administrator to run: sysctl kernel.keys.maxkeys kernel.keys.maxbytes (and to raise both)"},
	{[]string{"invalid runtime name", "unknown runtime", "oci runtime \"", "default oci runtime", "no such runtime"}, usererr.Settings,
		"the container engine has no runtime of the name in the settings",
		"ask the administrator to run: ENGINE info (which lists the runtimes, and to change --runtime in dockeropt)"},
	{[]string{"rootfs is marked read-only", "rootfs is read-only"}, usererr.Settings, engine.ReadOnlyText, engine.ReadOnlyHint},
	{[]string{"no matching manifest", "no image found in manifest list", "image index contains no"}, usererr.Container,
		"the image is not made for the processor of this host",
		"ask the administrator to run: dockershctl explain USER (and to name another image)"},
	{[]string{"exec format error"}, usererr.Container,
		"process 1 of the image is not a program for this host",
		"ask the administrator to run: dockershctl explain USER (and to look at the image's processor, and at entrypoint)"},
	{[]string{"no space left on device"}, usererr.Container,
		"the container engine's disk is full", "ask the administrator to run: ENGINE system df"},
}

// helpers are programs that an engine runs to start a container, with Debian's packages of them,
// which an installation without recommended packages leaves out.
var helpers = map[string]string{"nft": "nftables", "iptables": "iptables", "pasta": "passt", "slirp4netns": "slirp4netns"}

// limits are the words by which an engine's text is about a limit: the text names what is
// possible.
var limits = [...]string{
	"memory limit", "range of cpus", "cpu cfs", "nanocpus", "pids limit", "memoryswap", "invalid size", "shm size", "kernel memory",
}

// Refusal puts an engine's text into words for the user, where that is one of the usual ones;
// else it returns err.
func Refusal(program string, err error) error {
	if err == nil {
		return nil
	}
	text := strings.ToLower(err.Error())
	for i := range refusals {
		r := &refusals[i]
		for _, word := range r.words {
			if strings.Contains(text, word) {
				return usererr.New(r.code, r.text, strings.ReplaceAll(r.hint, "ENGINE", program), err)
			}
		}
	}
	if name := missingNetwork(text); name != "" {
		return usererr.New(usererr.Settings, "the container engine has no network "+name,
			"ask the administrator to run: "+program+" network create "+name+" (or to change network in the settings)", err)
	}
	if name := missingHelper(text); name != "" {
		return usererr.New(usererr.Container, "the container engine lacks the program "+name,
			"ask the administrator to run: apt install "+helpers[name]+" (or what has "+name+" on the host of the engine)", err)
	}
	for _, word := range limits {
		if at := strings.Index(text, word); at >= 0 {
			return usererr.New(usererr.Settings, "the container engine refuses a limit of the settings: "+sentence(err.Error(), at),
				"ask the administrator to run: dockershctl explain USER (and to change memory, cpus or pidslimit)", err)
		}
	}
	return err
}

// missingNetwork returns the name of a network that is not there; empty if the text is about
// something else.
func missingNetwork(text string) string {
	m := regexp.MustCompile(`network ([^\s:"]+) not found|network with name or id ([^\s:"]+): `).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return printable.Text(m[1] + m[2])
}

// missingHelper returns the helper that is not there; empty if the text is about something else.
func missingHelper(text string) string {
	m := regexp.MustCompile(`(?:unable to execute|netavark:) (\w+): no such file|could not find (\w+), the network namespace`).
		FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	name := m[1] + m[2]
	if helpers[name] == "" {
		return ""
	}
	return name
}

// sentence returns the part of an engine's text that has the byte at in it.
func sentence(text string, at int) string {
	from := strings.LastIndex(text[:at], ": ") + 1
	to := strings.IndexAny(text[at:], "\n;")
	if to < 0 {
		to = len(text) - at
	}
	return printable.Line(strings.TrimRight(strings.TrimSpace(text[from:at+to]), "."))
}
