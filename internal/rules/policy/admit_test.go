package policy

import (
	"errors"
	"maps"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// code returns the code of an error; Internal, which no refusal has, for none.
func code(err error) usererr.Code {
	var e *usererr.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return usererr.Internal
}

func TestContainerAdmitsByItsLabels(t *testing.T) {
	alices := Owner{UID: 1001, Identity: "u=alice"}.Labels()
	bobs := Owner{UID: 1002, Identity: "u=bob"}.Labels()
	shared := Owner{UID: 1002}.Labels()
	half := maps.Clone(alices)
	delete(half, engine.LabelIdentity)
	for _, c := range []struct {
		name, settings string
		labels         map[string]string
		euid           int
		ours, may      bool
	}{
		{"own", "", alices, 0, true, true},
		{"another user's", "", bobs, 0, true, false},
		{"shared by a literal name", "containername = shared", shared, 0, true, true},
		{"shared, without the service", "containername = shared", shared, 1001, true, false},
		{"shared, without the service, by its maker", "containername = shared", shared, 1002, true, true},
		{"shared, without the service, on another host", "containername = shared\ndockersocket = ssh://h", shared, 1001, true, true},
		{"own, without the service", "", alices, 1001, true, true},
		{"made by hand", "", nil, 0, false, false},
		{"made by hand, adopted", "adopt", nil, 0, false, true},
		{"made by hand, adopted, with a half of our labels", "adopt", half, 0, false, false},
		{"from a committed image, adopted", "adopt", map[string]string{engine.LabelOwner: "", engine.LabelIdentity: ""}, 0, false, true},
		{"ours, with adopt", "adopt", bobs, 0, true, false},
	} {
		_, ours, err := plan(t, alice, "[dockersh]\n"+c.settings, "").Admit(c.labels, c.euid)
		if ours != c.ours || (err == nil) != c.may || err != nil && code(err) != usererr.Denied {
			t.Errorf("%s: ours %v, %v", c.name, ours, err)
		}
	}
	const users = "[dockersh]\nadopt\nenableuserconfig\nenableusercontainername"
	if _, _, err := plan(t, alice, users, "[dockersh]\ncontainername = mine").Admit(nil, 0); code(err) != usererr.Denied {
		t.Errorf("a name that the user chose adopts: %v", err)
	}
}

func TestNoMoreSessionsThanMaxSessions(t *testing.T) {
	for _, c := range []struct {
		most string
		live int
		may  bool
	}{{"0", 1000, true}, {"2", 0, true}, {"2", 1, true}, {"2", 2, false}, {"2", 3, false}} {
		err := plan(t, alice, "[dockersh]\nmaxsessions = "+c.most, "").AdmitSession(c.live)
		if (err == nil) != c.may || err != nil && code(err) != usererr.Busy {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestOnlyRootRecords(t *testing.T) {
	if err := AdmitRecording(0); err != nil {
		t.Error(err)
	}
	if err := AdmitRecording(1001); code(err) != usererr.Settings {
		t.Error(err)
	}
}

func TestNumbersMustExistInTheUserNamespace(t *testing.T) {
	who := passwd.Identity{UID: 1001, GID: 1002, Groups: []account.Group{{GID: 1002}, {GID: 1003}}}
	for _, c := range []struct {
		remap engine.Remap
		may   bool
	}{
		{engine.Remap{}, true},
		{engine.Remap{On: true, UIDs: 1002, GIDs: 1004}, true},
		{engine.Remap{On: true, UIDs: 1001, GIDs: 1004}, false},
		{engine.Remap{On: true, UIDs: 1002, GIDs: 1003}, false},
		{engine.Remap{On: true, UIDs: 1002, GIDs: 1002}, false},
	} {
		if err := AdmitNumbers(c.remap, who); (err == nil) != c.may || err != nil && code(err) != usererr.Container {
			t.Errorf("%+v: %v", c.remap, err)
		}
	}
	m := idmap.Map{Users: idmap.Ranges{{Inside: 0, Outside: 100000, Count: 1002}}}
	if uid, err := HostUID(m, who); err != nil || uid != 101001 {
		t.Errorf("%d %v", uid, err)
	}
	who.UID = 1002
	if _, err := HostUID(m, who); code(err) != usererr.Container {
		t.Error(err)
	}
}
