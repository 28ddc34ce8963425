package policy

import "testing"

func TestOptionsThatMountOrLimitTheDiskKeepAContainer(t *testing.T) {
	for opt, want := range map[string]string{
		"-v /srv:/srv": "-v", "-v/data": "-v", "-v=named:/data": "-v", "-itv /srv:/srv": "-v",
		"--volume=/data": "--volume", "--volumes-from other": "--volumes-from", "--mount type=volume,target=/data": "--mount",
		"--tmpfs /data": "--tmpfs", "--storage-opt size=10G": "--storage-opt",
		"-it": "", "--label v": "", "-e volume": "", "-wv": "", "--shm-size=1g": "", "--privileged": "",
	} {
		if got := KeepingOption(plan(t, alice, "[dockersh]\ndockeropt = --init\ndockeropt = "+opt+"\n", "").Settings); got != want {
			t.Errorf("%s: %q, want %q", opt, got, want)
		}
	}
}
