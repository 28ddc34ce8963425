package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEverySettingHasAMeaningForTheManual(t *testing.T) {
	for _, d := range Table() {
		if d.Meaning == "" || strings.HasSuffix(d.Meaning, ".") {
			t.Errorf("%s: meaning %q", d.Key, d.Meaning)
		}
	}
}

// The manual says of enableuserNAME that NAME is one of the settings above.
func TestSettingsWithAGateComeFirst(t *testing.T) {
	above := true
	for i := range table {
		r := &table[i]
		if r.key == keyEnableUserConfig {
			above = false
		}
		if r.gate != above {
			t.Errorf("%s: gate %v", r.key, r.gate)
		}
	}
}

func TestDefaultsPassTheirOwnChecks(t *testing.T) {
	for i := range table {
		r := &table[i]
		for _, d := range r.defaults() {
			if _, bad := r.judge(d); bad != nil {
				t.Errorf("%s = %s: %s", r.key, d, bad.Text)
			}
		}
		if r.kind() != kindArray && len(r.defaults()) != 1 {
			t.Errorf("%s has %d defaults", r.key, len(r.def))
		}
	}
}

func TestEverySettingHasItsOwnField(t *testing.T) {
	var s Settings
	seen := map[any]string{}
	fields := 0
	for i := range reflect.TypeFor[Settings]().NumField() {
		if reflect.TypeFor[Settings]().Field(i).IsExported() {
			fields++
		}
	}
	for i := range table {
		p := table[i].field(&s)
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s have one field", table[i].key, other)
		}
		seen[p] = table[i].key
		name := fieldName(&s, p)
		if !strings.EqualFold(name, table[i].key) {
			t.Errorf("%s is kept in %s", table[i].key, name)
		}
	}
	if fields != len(table) {
		t.Errorf("%d exported fields, %d settings", fields, len(table))
	}
}

func fieldName(s *Settings, p any) string {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Field(i).Addr().UnsafePointer() == reflect.ValueOf(p).UnsafePointer() {
			return v.Type().Field(i).Name
		}
	}
	return ""
}

func TestFieldsHaveTheDefaults(t *testing.T) {
	s, err := (*File)(nil).Merge("alice", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range table {
		r := &table[i]
		got := fmt.Sprint(reflect.ValueOf(r.field(s)).Elem())
		want := r.def
		switch r.kind() {
		case kindArray:
			want = "[" + want + "]"
		case kindDuration:
			d, err := time.ParseDuration(want)
			if err != nil {
				t.Error(err)
			}
			want = d.String()
		}
		if got != want {
			t.Errorf("%s is %s, want %s", r.key, got, want)
		}
	}
}

func TestExplainShowsEverySettingAndEveryGate(t *testing.T) {
	s := effective(t, parsed(t, "[dockersh]\nenableusercmd\nenv = A=1\nenv = B=2\ncapdrop = CAP_SYS_TIME\ndockersocket = unix:///s\nlinger = 0\n"), nil)
	got := map[string]string{}
	for _, x := range s.All() {
		if _, twice := got[x.Key]; twice {
			t.Errorf("%s twice", x.Key)
		}
		if !x.Array && len(x.Values) != 1 {
			t.Errorf("%s has %d values", x.Key, len(x.Values))
		}
		got[x.Key] = strings.Join(x.Values, "|") + " " + x.Origin.String()
	}
	if len(got) != len(table)+gates() {
		t.Errorf("%d settings", len(got))
	}
	for key, want := range map[string]string{
		"enableusercmd": "true rc:2", "enableusershell": "false default", "env": "A=1|B=2 rc:3",
		"capdrop": "SYS_TIME rc:5", "dockersocket": "/s rc:6", "cmd": " default", "pidslimit": "1024 default",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
}

func gates() (n int) {
	for i := range table {
		if table[i].gate {
			n++
		}
	}
	return n
}
