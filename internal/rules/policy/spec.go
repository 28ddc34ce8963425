package policy

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// HostPaths are what goes into a container besides the settings: directories of the host,
// read-only, and values of labels.
type HostPaths struct {
	Protocol int    // version of the agent protocol, for engine.LabelProtocol
	Helpers  string // directory of dockersh-init
	Run      string // directory of this container's start socket
	Mark     string // becomes engine.LabelMark
	Hostname string // of this host

	// Home is not read-only, and only for an engine that remaps users: Owners is mounted
	// there while the container starts, instead of the home itself.
	Home   string
	Owners Home
}

// The same places in the container.
const (
	HelpersInside = engine.OwnDir
	RunInside     = engine.RunInside
	InitInside    = "/.dockersh/dockersh-init"
)

// HelpersOf returns the directory of the host that a container has at HelpersInside: that of the
// installation that made it. Empty without one.
func HelpersOf(mounts []engine.Mount) string {
	for _, m := range mounts {
		if path.Clean(m.Target) == HelpersInside {
			return m.Source
		}
	}
	return ""
}

// Spec returns the container that the plan asks for. who is its user, and imageID the
// image behind its name.
func (p *Plan) Spec(who passwd.Identity, imageID string, at HostPaths) engine.Spec {
	s := p.Settings
	noNewPrivileges := s.NoNewPrivileges && !s.Sudo || p.ForeignImage()
	spec := engine.Spec{
		Name: p.Container, Image: s.ImageName, ImageID: imageID, Hostname: hostnameOf(s, at.Hostname),
		UID: who.UID, GID: who.GID,
		Mounts: []engine.Mount{
			{Source: at.Helpers, Target: HelpersInside, ReadOnly: true},
			{Source: at.Run, Target: RunInside, ReadOnly: true},
		},
		Volumes: s.Volume, Env: s.Env, Network: s.Network, OwnNetwork: isInOwnNetwork(s),
		Memory: s.Memory, ShmSize: shmSize(s.Memory, s.DockerOpt), CPUs: string(s.CPUs), PidsLimit: s.PidsLimit,
		CapDrop: p.capDrop(who, noNewPrivileges), CapAdd: s.CapAdd, NoNewPrivileges: noNewPrivileges,
		ForeignImage: p.ForeignImage(),
		Entrypoint:   InitInside, QuietLog: true, NoHealthCheck: p.noHealthCheck(),
	}
	if !p.Engine().Local() {
		// Nothing of this host can be mounted there. The helper is copied into the
		// container, and does no more than process 1 must.
		spec.Mounts, spec.Cmd = nil, []string{"pause"}
	}
	for _, g := range who.Groups {
		// What process 1 has by the engine everything in the container has, and for good.
		if g.GID != who.GID && p.Groups == nil {
			spec.Groups = append(spec.Groups, g.GID)
		}
	}
	agent := p.Agent
	if !p.Engine().Local() {
		agent = ""
	}
	if s.Entrypoint != config.Internal {
		agent = ""
		spec.Entrypoint, spec.Cmd, spec.QuietLog = s.Entrypoint, s.Cmd, false
		spec.UserFirst = isAdministratorsProcess(s)
		// Its output is kept, but not for ever. dockeropt may change that.
		spec.CappedLog = true
	}
	for _, words := range s.DockerOpt {
		spec.Options = append(spec.Options, words...)
	}
	switch {
	case s.MountHome && at.Home != "":
		spec.Mounts = append(spec.Mounts, engine.Mount{Source: at.Home, Target: s.MountHomeTo})
	case s.MountHome:
		spec.Mounts = append(spec.Mounts, engine.Mount{Source: s.MountHomeFrom, Target: s.MountHomeTo})
	}
	if s.MountTmp {
		spec.Mounts = append(spec.Mounts, engine.Mount{Source: "/tmp", Target: "/tmp"})
	}
	if s.MountDockerSocket {
		spec.Mounts = append(spec.Mounts, engine.Mount{Source: s.DockerSocket, Target: "/var/run/docker.sock"})
	}
	spec.Labels = p.labels(imageID, agent, at)
	if p.Engine().IsCluster() {
		p.podSpec(&spec, who)
	}
	return spec
}

// labels returns the labels of the container. agent is the key of process 1 if that is an
// agent.
func (p *Plan) labels(imageID, agent string, at HostPaths) map[string]string {
	labels := p.Owner.Labels()
	maps.Copy(labels, map[string]string{
		engine.LabelUser:      p.User.Name,
		engine.LabelSettings:  p.Settings.Hash(),
		engine.LabelFixed:     p.Settings.FixedHash(),
		engine.LabelImage:     imageID,
		engine.LabelImageName: p.Settings.ImageName,
		engine.LabelFrom:      "",
		engine.LabelVolumes:   "",
		engine.LabelLayer:     "",
		engine.LabelImageEnv:  "",
		engine.LabelImageBy:   engine.ImageByAdministrator,
		engine.LabelProtocol:  strconv.Itoa(at.Protocol),
		engine.LabelAgent:     agent,
		engine.LabelHome:      at.Owners.String(), // always, since an image can have such a label
		engine.LabelMark:      at.Mark,
		engine.LabelAdmins:    "",
		engine.LabelEphemeral: "", // always, so that no option sets it
	})
	if p.ForeignImage() {
		labels[engine.LabelImageBy] = engine.ImageByUser
	}
	if p.Admins != nil {
		labels[engine.LabelAdmins] = p.Admins.Hash()
	}
	if p.Settings.Ephemeral {
		labels[engine.LabelEphemeral] = p.Settings.Linger.String()
	}
	return labels
}

// noHealthCheck reports whether the image's health check is not to run: in a container of a
// foreign image, where it would run outside of all limits, or with our process 1, since it
// looks after the image's own. Engines refuse that beside a health check of dockeropt.
func (p *Plan) noHealthCheck() bool {
	return p.ForeignImage() || p.Settings.Entrypoint == config.Internal && !slices.ContainsFunc(p.Settings.DockerOpt, isHealthCheck)
}

func isHealthCheck(words []string) bool {
	name, _ := values.Option(words)
	return strings.HasPrefix(name, "--health-")
}
