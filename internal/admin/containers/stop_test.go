package containers

import (
	"errors"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/cli"
)

func TestStartNamesWhatDoesNotGoTogether(t *testing.T) {
	for _, args := range [][]string{{"--group"}, {"--group", "a", "--user", "b"}, {"alice_dockersh", "--group=a"}, {"--group", "a", "--group", "b", "c"}} {
		err := Start(t.Context(), cli.Env{}, args)
		if !errors.Is(err, cli.ErrMisuse) || !strings.Contains(err.Error(), "--group has the name of one group") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
