package facts

import "testing"

func TestUnmountedFileSystemIsFoundByFstab(t *testing.T) {
	fstab := ParseMounts("# /dev/sdz /srv ext4 defaults 0 2\n/dev/sda / ext4 defaults 0 1\nUUID=1 /srv/my\\040rec xfs noatime 0 2\n/dev/sdb none swap sw 0 0\n")
	mounts := ParseMounts("/dev/sda / ext4 rw 0 0\n")
	for path, want := range map[string]string{"/srv/my rec/alice": "/srv/my rec", "/srv/my rec": "/srv/my rec", "/srv/my records": "", "/srv/x": "", "/none": ""} {
		if got := Unmounted(fstab, mounts, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := Unmounted(fstab, append(mounts, Mount{On: "/srv/my rec"}), "/srv/my rec/alice"); got != "" {
		t.Errorf("it is mounted: %q", got)
	}
}

func TestMountsAreParsed(t *testing.T) {
	m := ParseMounts("/dev/sdb1 /my\\040homes xfs rw,prjquota 0 0\n/dev/sda1 / ext4 rw 0 0\nshort\n")
	if len(m) != 2 || m[0].On != "/my homes" || MountOf(m, "/my homes/alice").On != "/my homes" || MountOf(m, "/my").On != "/" {
		t.Errorf("%+v", m)
	}
}
