package policy

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// admitPod refuses what a pod of a cluster cannot have, and names what to use.
func (p *Plan) admitPod() error {
	if !p.Engine().IsCluster() {
		return nil
	}
	s := p.Settings
	if err := admitEngineElsewhere(s); err != nil {
		return err
	}
	const template = "podtemplate can name what a pod has besides"
	for _, c := range []struct {
		on        bool
		key, then string
	}{
		{s.MountHome, "mounthome", "homeclaim names a volume of the cluster for the home"},
		{s.MountTmp, "mounttmp", "a pod has a /tmp of its own"},
		{s.MountDockerSocket, "mountdockersocket", "there is no engine whose socket could be mounted"},
		{len(s.DockerOpt) > 0, "dockeropt", template},
		{len(s.Volume) > 0, "volume", template},
		{s.Network != "", "network", "a NetworkPolicy of the cluster decides what pods reach"},
		{s.IsSet("pidslimit") && s.PidsLimit != 0, "pidslimit", "the setting podPidsLimit of the nodes limits processes"},
		{s.Sudo, "sudo", "the files of a pod's image cannot be changed from outside: name an image that is prepared for it"},
		{s.Adopt, "adopt", "pods that dockersh did not make are never entered"},
		{s.OnChange == "apply", "onchange = apply", "a pod has one life: set onchange to keep or recreate"},
		{s.IdleTimeout > 0, "idletimeout", "a pod that ends is gone: set ephemeral and linger"},
		{len(s.ReverseForward) > 0, "reverseforward", "it leads to the loopback of this host"},
		{slices.ContainsFunc(s.Env, func(e string) bool { return !strings.Contains(e, "=") }), "env without =", "write NAME=VALUE"},
	} {
		if c.on {
			return usererr.New(usererr.Settings, c.key+" has no meaning for a pod of a cluster",
				explainHint(p.User, "and to unset it; "+c.then), nil)
		}
	}
	if !p.Owner.Personal() && !p.Owner.ofOneSession() {
		return usererr.New(usererr.Settings, "a pod of a cluster has one user, and the container "+p.Container+" may have several",
			explainHint(p.User, "and to write %u in containername"), nil)
	}
	return nil
}

// podSpec turns the description of a container into that of a pod.
func (p *Plan) podSpec(spec *engine.Spec, who passwd.Identity) {
	s := p.Settings
	spec.ShmSize, spec.OwnNetwork, spec.PidsLimit = "", false, 0 // a node decides these
	spec.Pull, spec.Template = s.Pull, s.PodTemplate
	spec.Home = engine.Home{Claim: s.HomeClaim, Size: s.HomeSize, Class: s.HomeClass}
	if s.HomeClaim != "" && !config.IsSystemPlace(who.Home) {
		spec.Home.Path = who.Home
	}
}
