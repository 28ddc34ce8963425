//go:build kubernetes

package kubernetes

import (
	"slices"
	"testing"
)

func TestRoleHasTheRightsThatAreNeededAndNoOthers(t *testing.T) {
	about, err := onCluster(t).About(t.Context())
	if err != nil || len(about.RightsMissing)+len(about.RightsExcess) > 0 {
		t.Errorf("%+v %v", about, err)
	}
	if about, err = admin.About(t.Context()); err != nil || len(about.RightsMissing) > 0 || !slices.Contains(about.RightsExcess, "get secrets") {
		t.Errorf("of the administrator: %+v %v", about, err)
	}
	other, err := open("default", host)
	if err != nil {
		t.Fatal(err)
	}
	if about, err = other.About(t.Context()); err != nil || len(about.RightsMissing) != len(needed()) {
		t.Errorf("in another namespace: %+v %v", about, err)
	}
}
