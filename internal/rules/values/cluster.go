package values

import (
	"strings"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// checkNamespace accepts the name of a namespace of a cluster.
func checkNamespace(s string) *syntax.Problem {
	at := strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
	if at >= 0 || s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return syntax.Wrong(syntax.Quote(s)+" is not the name of a namespace",
			"write kubernetes://NAMESPACE, with lower-case letters, digits and hyphens; the setting kubeconfig names the cluster")
	}
	return nil
}

// KubeConfig accepts the path of a file, with a context after #.
func KubeConfig(s string) *syntax.Problem {
	file, _, _ := strings.Cut(s, "#")
	return Path(file)
}

// Quantity accepts a size as Kubernetes has it.
func Quantity(s string) *syntax.Problem {
	digits := strings.TrimRight(s, "KMGTPEik")
	switch strings.TrimPrefix(s, digits) {
	case "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei":
		if strings.Trim(digits, "0123456789") == "" && strings.Trim(digits, "0") != "" && len(digits) <= 15 {
			return nil
		}
	}
	return syntax.Wrong(syntax.Quote(s)+" is not a size", "write a number and a unit, such as 500Mi or 10Gi")
}
