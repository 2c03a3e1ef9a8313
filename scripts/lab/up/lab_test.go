package up

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// childDir makes the test binary a lab in that folder instead of a test. childStep, if it is there, is the step of the
// services' side, which then runs in the place of the monolith.
const (
	childDir  = "BANYAN_TEST_LAB_DIR"
	childStep = "BANYAN_TEST_LAB_STEP"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, beLab(dir, os.Getenv(childStep)))
		os.Exit(1)
	}
	code := m.Run()
	if program, err := fake(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// beLab starts one side, says where everything is, and waits for a kill.
func beLab(dir, step string) error {
	options := Options{Only: Monolith, Dir: dir, RandomPorts: true, Out: os.Stderr}
	if number, err := strconv.Atoi(step); err == nil {
		options.Only, options.Step = Services, &number
	}
	lab, err := Start(context.Background(), options)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(lab.State()); err != nil {
		return err
	}
	return lab.Wait(context.Background())
}

// startChild runs a lab in another process.
func startChild(t *testing.T, dir string, more ...string) (*exec.Cmd, State) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.Command(self)
	child.Env = append(append(os.Environ(), childDir+"="+dir), more...)
	var said strings.Builder
	child.Stderr = &said
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })

	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_ = child.Wait()
		require.FailNow(t, "the child lab did not start", said.String())
	}
	var state State
	require.NoError(t, json.Unmarshal(line, &state))
	return child, state
}

// gone waits until none of the processes is left.
func gone(t *testing.T, processes []ProcessState) {
	t.Helper()
	require.NotEmpty(t, processes)
	for _, process := range processes {
		require.NotZero(t, process.PID, process.Name)
		require.Eventually(t, func() bool { return !alive(process.PID) }, 20*time.Second, 20*time.Millisecond,
			"%s (pid %d) is left behind", process.Name, process.PID)
	}
}

// TestLab goes through the life of a lab, with real servers and the real monolith.
func TestLab(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { require.NoError(t, Wipe(dir)) })
	options := Options{Only: Monolith, Dir: dir, RandomPorts: true}

	child, first := startChild(t, dir)
	running, err := Running(dir)
	require.NoError(t, err)
	require.Equal(t, child.Process.Pid, running.PID)
	require.Equal(t, []string{Monolith}, running.Sides())
	response, err := http.Get(first.MonolithURL + "/v1/books?limit=1")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	// A second one stays out of its way, and nobody takes its data from under it.
	_, err = Start(t.Context(), options)
	var other *RunningError
	require.ErrorAs(t, err, &other)
	require.ErrorContains(t, err, fmt.Sprintf("a lab is already running: pid %d", child.Process.Pid))
	require.ErrorContains(t, err, first.MonolithURL)
	require.ErrorContains(t, Wipe(dir), "is running")
	marked := mark(t, first.Databases[Monolith])

	// kill -9 leaves no process behind, and a state that nobody believes.
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	gone(t, first.Processes)
	require.FileExists(t, filepath.Join(dir, "state.json"))
	_, err = Running(dir)
	require.ErrorIs(t, err, ErrNotRunning)

	// Another seed size is refused, and the refusal says how to go on.
	wrong := options
	wrong.SeedSize = "large"
	_, err = Start(t.Context(), wrong)
	require.ErrorContains(t, err, "are of seed size small, not large")
	require.ErrorContains(t, err, "--fresh")
	require.NoFileExists(t, filepath.Join(dir, "state.json"))

	// The next lab goes on with the data.
	lab, err := Start(t.Context(), options)
	require.NoError(t, err)
	second := lab.State()
	require.Equal(t, "small", second.SeedSize)
	require.NotEmpty(t, first.ControlSocket)
	require.NoFileExists(t, first.ControlSocket, "the socket of the one that was killed is gone")
	require.True(t, isMarked(t, lab.DatabaseURL(Monolith), marked), "what was committed before the kill is there")

	// PostgreSQL dies and comes back on the same port, and the lab stays.
	lab.Process("postgres").Kill9()
	require.NoError(t, lab.Process("postgres").Restart(t.Context()))
	require.True(t, isMarked(t, lab.DatabaseURL(Monolith), marked))

	last := lab.State().Processes
	require.NoError(t, lab.Stop(context.WithoutCancel(t.Context())))
	gone(t, last)
	require.NoFileExists(t, filepath.Join(dir, "state.json"))
}

// mark writes something that can be looked for later, and returns it.
func mark(t *testing.T, databaseURL string) string {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var email string
	err = conn.QueryRow(t.Context(), `
		update monolith.accounts set name = 'Marked' where id = (select min(id::text)::uuid from monolith.accounts)
		returning email`).Scan(&email)
	require.NoError(t, err)
	return email
}

func isMarked(t *testing.T, databaseURL, email string) bool {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var name string
	err = conn.QueryRow(t.Context(), `select name from monolith.accounts where email = $1`, email).Scan(&name)
	require.NoError(t, err)
	return name == "Marked"
}

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("stopped halfway leaves nothing", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		t.Cleanup(func() { require.NoError(t, Wipe(dir)) })
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := Start(ctx, Options{Only: Monolith, Dir: dir, RandomPorts: true})
		require.Error(t, err)
		_, err = Running(dir)
		require.ErrorIs(t, err, ErrNotRunning)
		require.NoFileExists(t, filepath.Join(dir, "state.json"))
	})

	cases := map[string]struct {
		options Options
		says    string
	}{
		"an unknown side":                    {Options{Only: "gateway"}, `there is no side "gateway"`},
		"an unknown seed size":               {Options{SeedSize: "tiny"}, `there is no seed size "tiny"`},
		"variables for an unknown process":   {Options{Env: map[string][]string{"order": nil}}, `there is no process "order"`},
		"a port offset beyond all ports":     {Options{PortOffset: 60_000}, "leaves the range of ports"},
		"a fresh start on another's server":  {Options{Fresh: true, DatabaseURL: "postgres://u@h/postgres"}, "drop the databases"},
		"a DATABASE_URL that is none at all": {Options{DatabaseURL: "host=db user=me"}, "DATABASE_URL must look like"},
	}
	for name, c := range cases {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			c.options.Dir = t.TempDir()
			c.options.RandomPorts = true
			_, err := Start(t.Context(), c.options)
			require.ErrorContains(t, err, c.says)
			require.NoFileExists(t, filepath.Join(c.options.Dir, "state.json"))
		})
	}
}

func TestRunning(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing where no lab has been", func(t *testing.T) {
		t.Parallel()
		_, err := Running(filepath.Join(t.TempDir(), "nowhere"))
		require.ErrorIs(t, err, ErrNotRunning)
	})

	t.Run("asks to wait for a lab that is still starting", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		_, err := Running(l.options.Dir)
		require.ErrorIs(t, err, ErrNotReady)
		stop(t, l)
		_, err = Running(l.options.Dir)
		require.ErrorIs(t, err, ErrNotRunning)
	})
}
