package engine

// About is what an engine says of itself. What it does not say is empty.
type About struct {
	Podman   bool     // it is Podman, whose versions are others than Docker's
	Version  string   // of the engine
	Runc     string   // of runc, when that is what starts containers
	Security []string // in the engine's words, such as "name=userns"
	Warnings []string // what it says that is wrong with it
}
