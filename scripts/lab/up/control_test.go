package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/ladder"
)

// said is what a lab tells people, which may be read while it runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// moving is a lab whose notifications leave while it runs.
type moving struct {
	*Lab
	dir string
	out *said
}

func (m *moving) start(t *testing.T, step *int) {
	t.Helper()
	m.out = &said{}
	lab, err := Start(t.Context(), Options{Only: Services, Step: step, Dir: m.dir, RandomPorts: true, Out: m.out})
	require.NoError(t, err)
	m.Lab = lab
}

func (m *moving) client(t *testing.T) *Control {
	t.Helper()
	state, err := Running(m.dir)
	require.NoError(t, err)
	return state.Control()
}

func (m *moving) status(t *testing.T, name string) ProcessStatus {
	t.Helper()
	all, err := m.client(t).Processes(t.Context())
	require.NoError(t, err)
	for _, status := range all {
		if status.Name == name {
			return status
		}
	}
	return ProcessStatus{}
}

func (m *moving) converge(t *testing.T) []string {
	t.Helper()
	changed, err := m.client(t).Converge(t.Context())
	require.NoError(t, err)
	return changed
}

func (m *moving) copier(t *testing.T, do func(*ladder.Copier)) {
	t.Helper()
	copier, err := ladder.Open(t.Context(), m.DatabaseURL(Services), "notifications")
	require.NoError(t, err)
	defer func() { require.NoError(t, copier.Close(context.WithoutCancel(t.Context()))) }()
	do(copier)
}

func (m *moving) answers(t *testing.T, path string) int {
	t.Helper()
	response, err := http.Get(m.GatewayURL() + path)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// TestMove goes with one lab from step 1 to step 2, and breaks off what it does wherever it can be broken off.
func TestMove(t *testing.T) {
	t.Parallel()
	m := &moving{dir: t.TempDir()}
	t.Cleanup(func() { require.NoError(t, Wipe(m.dir)) })
	m.start(t, new(1))
	t.Cleanup(func() { _ = m.Stop(context.WithoutCancel(t.Context())) })
	socket := m.State().ControlSocket
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.LessOrEqual(t, len(socket), mostOfSocket)
	ctx := t.Context()

	// A process stops and starts on request, and the lab stays.
	c := m.client(t)
	_, err = c.Start(ctx, StartOrder{Name: Trunk})
	require.ErrorContains(t, err, "trunk is running already")
	killed, err := c.Stop(ctx, Trunk, 20*time.Second)
	require.NoError(t, err)
	require.False(t, killed)
	require.False(t, m.status(t, Trunk).Running)
	started, err := c.Start(ctx, StartOrder{Name: Trunk})
	require.NoError(t, err)
	require.True(t, started.Ready)
	require.True(t, alive(started.PID))
	require.NoError(t, c.Kill(ctx, Trunk))
	require.False(t, alive(started.PID))
	require.Equal(t, []string{"trunk has started as step 1 has it"}, m.converge(t))
	require.Empty(t, m.converge(t), "the second time there is nothing to do")

	_, err = c.Stop(ctx, "nobody", 0)
	require.ErrorContains(t, err, `the lab runs no process "nobody"`)
	_, err = c.Start(ctx, StartOrder{Name: "notifications", Step: 2, Standby: true})
	require.ErrorContains(t, err, "prepare its area first")
	require.ErrorContains(t, c.Become(ctx, 0), "does not lose its gateway")
	require.ErrorContains(t, c.Prepare(ctx, "gifts"), `there is no area "gifts"`)

	// The area is prepared, the new trunk tried, and the service stands by.
	require.Empty(t, m.State().NATSURL)
	require.NoError(t, c.Prepare(ctx, "notifications"))
	require.NotEmpty(t, m.State().NATSURL)
	require.True(t, m.status(t, processNATS).Running)
	tried, err := c.Start(ctx, StartOrder{Name: Trunk, Step: 2, Standby: true, As: "rehearsal"})
	require.NoError(t, err)
	require.Equal(t, 2, tried.Step)
	require.True(t, tried.Ready && tried.Standby)
	require.NotEqual(t, m.status(t, Trunk).URL, tried.URL)
	if environment, shown := environOf(t, tried.PID); shown {
		require.Contains(t, environment, "EXTRACTED=notifications\n")
		require.Contains(t, environment, "STANDBY=true\n")
	}
	_, err = c.Stop(ctx, "rehearsal", 20*time.Second)
	require.NoError(t, err)
	require.Empty(t, m.status(t, "rehearsal").Name, "it is forgotten")

	order := StartOrder{Name: "notifications", Step: 2, Standby: true}
	standby, err := c.Start(ctx, order)
	require.NoError(t, err)
	require.True(t, standby.Ready && standby.Standby)
	require.Equal(t, []string{"notifications has stopped: it has no part in step 1"}, m.converge(t), "no move has begun")
	_, err = c.Start(ctx, order)
	require.NoError(t, err)
	m.copier(t, func(copier *ladder.Copier) { require.NoError(t, copier.Note(ctx)) })
	require.Empty(t, m.converge(t))

	// While the move is open, no accident ends the lab.
	before := m.status(t, Trunk).PID
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		now := m.status(t, Trunk)
		return now.Ready && now.PID != before
	}, 60*time.Second, 50*time.Millisecond)
	require.NoError(t, m.broken.Err())
	require.Contains(t, m.out.String(), "the lab goes on without trunk")

	// The next lab finds the service on its way, also after one that was killed with all that it ran.
	require.NoError(t, m.Stop(context.WithoutCancel(ctx)))
	require.NoFileExists(t, socket)
	require.NoDirExists(t, filepath.Dir(socket))
	child, killedOne := startChild(t, m.dir, childStep+"=1")
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	gone(t, killedOne.Processes)
	m.start(t, new(1))
	require.Equal(t, 1, m.State().Step)
	require.True(t, m.status(t, "notifications").Standby)
	require.Contains(t, m.out.String(), "notifications is on its way out (noted): go on with `lab extract notifications`, undo with `lab cancel notifications`")

	// A switch breaks off between its commit and the start.
	c = m.client(t)
	m.copier(t, func(copier *ladder.Copier) {
		require.NoError(t, copier.Backfill(ctx, ladder.RangeSize, func(ladder.Progress) error { return nil }))
		for _, name := range []string{Trunk, "notifications"} {
			_, err := c.Stop(ctx, name, 20*time.Second)
			require.NoError(t, err)
		}
		require.NoError(t, copier.CutOver(ctx, time.Minute))
	})
	changed := m.converge(t)
	require.Subset(t, changed, []string{
		"the lab is at step 2, and was at step 1", "the routes are those of step 2",
		"notifications has started as step 2 has it", "trunk has started as step 2 has it",
	}, fmt.Sprint(changed))
	require.Empty(t, m.converge(t))
	require.Equal(t, 2, m.State().Step)
	require.False(t, m.status(t, "notifications").Standby)
	require.Equal(t, http.StatusUnauthorized, m.answers(t, "/v1/notifications"))
	require.Equal(t, http.StatusOK, m.answers(t, "/v1/books?limit=1"))

	// An environment that the data have left behind does not start, and that is only an answer.
	_, err = c.Stop(ctx, Trunk, 20*time.Second)
	require.NoError(t, err)
	_, err = c.Start(ctx, StartOrder{Name: Trunk, Step: 1})
	require.ErrorContains(t, err, "add it to EXTRACTED")
	require.NoError(t, m.broken.Err())
	require.Equal(t, []string{"trunk has started as step 2 has it"}, m.converge(t))
	require.NoError(t, m.Stop(context.WithoutCancel(ctx)))

	// No other step but that of the data.
	refused := func(step int) error {
		lab, err := Start(ctx, Options{Only: Services, Step: &step, Dir: m.dir, RandomPorts: true})
		require.Nil(t, lab)
		return err
	}
	var down *StepError
	require.ErrorAs(t, refused(1), &down)
	require.Equal(t, StepError{Stands: 2, Wanted: 1, Back: "notifications"}, *down)
	require.ErrorContains(t, down, "`lab rollback notifications`")
	var open *OpenMoveError
	require.ErrorAs(t, refused(3), &open)
	require.ErrorContains(t, open, "end its move with `lab finalize notifications`")
	m.start(t, new(2))
	require.Equal(t, 2, m.State().Step)
	require.Contains(t, m.out.String(), "notifications is switched and not finalized")
	require.Empty(t, m.converge(t))
}

// environOf is the environment that a process was started with, where the system shows it.
func environOf(t *testing.T, pid int) (environment string, shown bool) {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if errors.Is(err, os.ErrNotExist) {
		return "", false
	}
	require.NoError(t, err)
	return strings.ReplaceAll(string(content), "\x00", "\n"), true
}

func TestRemoveStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, err := os.MkdirTemp("", socketFolder)
	require.NoError(t, err)
	socket, other := filepath.Join(folder, "s"), filepath.Join(t.TempDir(), "s")
	for _, path := range []string{socket, other} {
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, (&State{Dir: dir, ControlSocket: path}).write())
		removeStale(dir)
	}
	require.NoDirExists(t, folder)
	require.FileExists(t, other, "what is not certainly a socket of a lab stays")
}

func TestControl(t *testing.T) {
	t.Parallel()
	_, err := (&State{}).Control().Processes(t.Context())
	require.ErrorContains(t, err, "still starting")
	gone := (&State{ControlSocket: filepath.Join(t.TempDir(), "s")}).Control()
	_, err = gone.Converge(t.Context())
	require.ErrorContains(t, err, "the lab does not answer")
}
