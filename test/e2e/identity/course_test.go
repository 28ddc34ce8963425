//go:build e2e

package identity

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// course has the parts of docs/course.md.
type course struct {
	dockerfile                                       string
	before                                           string // the first three commands
	accounts                                         string // the command that adds one account for each trainee
	sessions, restart, reset, commit, message, after string
}

// readCourse reads the page. Only the paths are others in the tests.
func readCourse(t *testing.T) (c course) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(os.Getenv("REPO"), "docs/course.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.NewReplacer("/usr/local/share", e2e.Prefix+"/share", "/usr/local/bin", e2e.Prefix+"/bin",
		"useradd -m", "useradd -b "+e2e.Homes+" -k /dev/null -m").Replace(string(data))
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)\n```(\\w+)\n(.*?)```\n").FindAllStringSubmatch(page, -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	each := regexp.MustCompile("`(for n in [^`]*)`").FindStringSubmatch(page)
	sh := blocks["sh"]
	if len(blocks["Dockerfile"]) != 1 || len(sh) != 7 || strings.Count(sh[0], "\n") != 3 || each == nil {
		t.Fatalf("the page has other parts: %q", blocks)
	}
	return course{blocks["Dockerfile"][0], sh[0], each[1], sh[1], sh[2], sh[3], sh[4], sh[5], sh[6]}
}

// runLines runs lines of the page as root.
func runLines(t *testing.T, dir, lines string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", lines)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+e2e.Prefix+"/bin:"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", lines, err, out)
	}
	return string(out)
}

// chooseWay comments the other lines of the example out, but not those after "# WAY:".
func chooseWay(t *testing.T, way string) {
	t.Helper()
	data, err := os.ReadFile(e2e.Settings)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), "\n\tcontainername", "\n\t#containername", 1)
	head, tail, ok := strings.Cut(text, "\t# "+way+":")
	if !ok {
		t.Fatalf("there is no way %s in the example", way)
	}
	lines := strings.Split(tail, "\n")
	for i := 1; i < len(lines) && !strings.HasPrefix(lines[i], "\t# ") && lines[i] != "\t#"; i++ {
		lines[i] = strings.Replace(lines[i], "\t#", "\t", 1)
	}
	if err := os.WriteFile(e2e.Settings, []byte(head+"\t# "+way+":"+strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// desk is the place of a trainee, with a live session.
type desk struct {
	*e2e.Account
	place
	container string
	in        io.Closer
	out       io.Reader
	cmd       *exec.Cmd
}

// login starts the session.
func (d *desk) login() error {
	argv := d.argv(d.Account, e2e.ContainerID+"; cat")
	d.cmd = exec.Command(argv[0], argv[1:]...)
	in, err := d.cmd.StdinPipe()
	if err != nil {
		return err
	}
	d.in = in
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	r := bufio.NewReader(out)
	d.out = r
	d.container, err = r.ReadString('\n')
	d.container = strings.TrimSpace(d.container)
	return err
}

// logout ends the session.
func (d *desk) logout() {
	_ = d.in.Close()
	_, _ = io.Copy(io.Discard, d.out)
	_ = d.cmd.Wait()
}

// courseWays are the five ways of the page: how many containers thirty trainees have, and
// whether a container stays after its last session.
var courseWays = []struct {
	way        string
	containers int
	stays      bool
}{{"1", 30, false}, {"2", 1, true}, {"3a", 30, true}, {"3b", 30, true}, {"3c", 30, true}}

func TestCourseGoesAsItsPageSays(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the page is for the service")
	c := readCourse(t)
	e2e.WithSettings(t, "[dockersh]\n")
	e2e.OnHost(t, "docker", "tag", "dsh-debian", "debian:12")
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/Dockerfile", []byte(c.dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir+"/exercises", 0o755); err != nil {
		t.Fatal(err)
	}
	runLines(t, dir, c.before)
	runLines(t, dir, c.accounts)
	example, err := os.ReadFile(e2e.Settings)
	if err != nil {
		t.Fatal(err)
	}
	shared := courseAccount(t, "trainee")
	desks := make([]*desk, 30)
	keys := ""
	for i := range desks {
		key := fmt.Sprintf("course-key%d", i)
		if err := e2e.Keygen(key); err != nil {
			t.Fatal(err)
		}
		pub, err := os.ReadFile(e2e.Scratch + "/" + key + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		keys += string(pub)
		desks[i] = &desk{place: place{fmt.Sprintf("127.0.0.%d", 10+i), key}}
	}
	own := make([]*e2e.Account, len(desks))
	for i := range own {
		own[i] = courseAccount(t, fmt.Sprintf("trainee%d", i+1))
		if err := own[i].Authorize(keys); err != nil {
			t.Fatal(err)
		}
	}
	if err := shared.Authorize(keys); err != nil {
		t.Fatal(err)
	}
	for _, w := range courseWays {
		t.Run(w.way, func(t *testing.T) {
			if err := os.WriteFile(e2e.Settings, example, 0o600); err != nil {
				t.Fatal(err)
			}
			chooseWay(t, w.way)
			for i, d := range desks {
				if d.Account = shared; w.way == "3a" {
					d.Account = own[i]
				}
			}
			c.day(t, dir, desks, w.containers, w.stays)
		})
	}
}

// courseAccount returns an account that a command of the page added.
func courseAccount(t *testing.T, name string) *e2e.Account {
	t.Helper()
	a := &e2e.Account{Name: name, Home: e2e.Homes + "/" + name, Shell: e2e.Front}
	if got := e2e.OnHost(t, "getent", "passwd", name); !strings.HasSuffix(got, ":"+e2e.Front) {
		t.Fatalf("passwd: %s", got)
	}
	t.Cleanup(func() { a.Remove(t) })
	return a
}

// day plays a day of the course.
func (c course) day(t *testing.T, dir string, desks []*desk, containers int, stays bool) {
	// All log in at once.
	var all sync.WaitGroup
	for i, d := range desks {
		all.Go(func() {
			if err := d.login(); err != nil {
				t.Errorf("desk %d: %v", i, err)
			}
		})
	}
	all.Wait()
	defer func() {
		for _, d := range desks {
			d.logout()
		}
	}()
	met := map[string]bool{}
	for _, d := range desks {
		met[d.container] = true
	}
	if len(met) != containers {
		t.Errorf("%d containers for %d desks, want %d", len(met), len(desks), containers)
	}
	if got := strings.Count(runLines(t, dir, c.sessions), "trainee"); got < len(desks) {
		t.Errorf("%d of %d sessions are listed", got, len(desks))
	}

	// The work of one trainee becomes the image of the next containers.
	best := desks[9]
	if wrote := strings.Contains(e2e.OnHost(t, "docker", "diff", best.container)+"\n", " /etc/passwd\n"); wrote != (best.Name != "trainee") {
		t.Errorf("something was written for %s: %v; the page's image knows trainee", best.Name, wrote)
	}
	name := e2e.Inspect(t, best.container, "{{slice .Name 1}}")
	e2e.OnHost(t, "docker", "exec", "-u", "0", best.container, "sh", "-c", "echo done >/tmp/exercise")
	runLines(t, dir, strings.Replace(c.commit, "trainee-192.0.2.9", name, 1))
	if got := e2e.OnHost(t, "docker", "run", "--rm", "--entrypoint", "cat", "course:day2", "/tmp/exercise"); got != "done" {
		t.Errorf("in the image of %s: %q", name, got)
	}

	// A message to all shows on a terminal.
	window := e2e.NewConsole(t, 24, 80, desks[0].argv(desks[0].Account, "-tt", "--")...)
	window.FirstPrompt()
	runLines(t, dir, c.message)
	window.Expect("Lunch in five minutes") // over the prompt

	// One container is reset; the other sessions go on.
	broken := desks[7]
	e2e.OnHost(t, "docker", "exec", "-u", "0", broken.container, "touch", "/tmp/broken")
	runLines(t, dir, strings.Replace(c.reset, "trainee-192.0.2.7", e2e.Inspect(t, broken.container, "{{slice .Name 1}}"), 1))
	broken.logout()
	if got := broken.output(t, broken.Account, "test -e /tmp/broken || echo fresh"); got != "fresh" {
		t.Errorf("after the reset: %q", got)
	}
	if containers > 1 {
		window.Line("echo still $((40+2))")
		window.Expect("still 42")
	}

	// Everything is as at the start.
	runLines(t, dir, c.after)
	window.Wait()
	if left := e2e.OnHost(t, "docker", "ps", "-aq", "--filter", "label=dockersh.uid"); left != "" {
		t.Errorf("left: %s", left)
	}
	if got := best.output(t, best.Account, "test -e /tmp/exercise || echo fresh"); got != "fresh" {
		t.Errorf("the next course: %q", got)
	}

	// In another network.
	if stays {
		best.output(t, best.Account, "touch /tmp/mine")
		runLines(t, dir, c.restart)
		if got := best.output(t, best.Account, "test -e /tmp/mine && echo there"); got != "there" {
			t.Errorf("after the restart: %q", got)
		}
	}
	runLines(t, dir, c.after)
}
