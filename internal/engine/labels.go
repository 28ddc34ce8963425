package engine

// Labels of a container that dockersh made; dockershd(8) lists them. All of them
// are written, even when they are empty, because an image could bring its own.
// A container without LabelOwner was not made by dockersh. An engine hides these labels
// where an image brought them: a Container never has them then.
const (
	// LabelOwner is the uid of the user whose login made the container. In an image
	// that dockershctl commit made it is empty, and so in containers made from that.
	LabelOwner = "dockersh.uid"
	// LabelUser is that user's name.
	LabelUser = "dockersh.user"
	// LabelIdentity is whom the container is for: what the sequences in containername
	// stood for, such as "u=alice"; empty for a literal name. See policy.Owner.
	LabelIdentity = "dockersh.identity"

	// LabelSettings is the hash of the settings that made the container.
	LabelSettings = "dockersh.settings"
	// LabelAdmins is the same without what the user's own file has. It decides for
	// onchange = recreate, which is the administrator's word and not a user's.
	LabelAdmins = "dockersh.admins"
	// LabelFixed is the hash of the settings without those that can change in the container.
	LabelFixed = "dockersh.fixed"
	// LabelImage is the id of the image that the container was made from.
	LabelImage = "dockersh.image"
	// LabelImageName is that image as the settings named it. See Container.Base.
	LabelImageName = "dockersh.imagename"
	// LabelFrom is the id of the container whose place it took, and whose layer it has; else
	// it is empty.
	LabelFrom = "dockersh.from"
	// LabelVolumes are the names of that container's anonymous volumes, separated by spaces.
	// They go with the container.
	LabelVolumes = "dockersh.volumes"
	// LabelLayer is on images of Layers.CarryLayer: their mark. It is empty on containers, and
	// so on what an administrator makes of one.
	LabelLayer = "dockersh.layer"
	// LabelImageEnv is on those images, too: the environment of the image that the first
	// container was made from, in JSON.
	LabelImageEnv = "dockersh.imageenv"
	// LabelImageBy is who chose that image: ImageByUser or ImageByAdministrator.
	LabelImageBy = "dockersh.imageby"

	// LabelProtocol is the version of the agent protocol.
	LabelProtocol = "dockersh.protocol"
	// LabelAgent is the key of the agent that is process 1; empty when process 1 is
	// another program.
	LabelAgent = "dockersh.agent"
	// LabelHome is the home that is mounted with mapped owners, and the mapping: the
	// user who starts the container again may be another one. See policy.Home.
	LabelHome = "dockersh.home"

	// LabelEphemeral is how long an ephemeral container stays after its last session,
	// as a duration. Where it is empty or missing the container was made to stay,
	// whatever the settings are today.
	LabelEphemeral = "dockersh.ephemeral"
	// LabelMark names the host and the directory in which a broker keeps what it knows
	// of the container. A container with another mark than its name has is never
	// removed unasked: it was renamed, or is a copy, or belongs to another broker.
	LabelMark = "dockersh.mark"

	// LabelCreate is different for each call of Create, and given before all other
	// options: even a container whose name and other labels were swallowed by an
	// option that takes a value can be found again. A container whose image has the same
	// value was started from an image of the one that was made with it.
	LabelCreate = "dockersh.create"
)

// RunInside is where the directory that LabelMark names is mounted, in containers on
// this host.
const RunInside = "/.dockersh/run"

// Values of LabelImageBy.
const (
	ImageByUser          = "user"
	ImageByAdministrator = "administrator"
)
