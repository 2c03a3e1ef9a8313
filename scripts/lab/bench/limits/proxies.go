package limits

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"banyan/internal/local"
	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/load"
)

// The proxies that are compared.
const (
	direct  = "direct"
	gateway = "gateway"
	nginx   = "nginx"
	caddy   = "Caddy"
)

// tinyAnswers are what the backend answers with: 300 bytes and 6 KB.
var tinyAnswers = []string{"small", "large"}

// compareProxies asks a tiny backend directly and through each proxy, as fast as they answer.
func compareProxies(ctx context.Context, w *world) ([]Figure, error) {
	defer func() { _ = w.stopExtra(context.WithoutCancel(ctx)) }()
	contenders, missing, err := w.proxies(ctx, nginx, caddy)
	if err != nil {
		return nil, err
	}
	parts := map[string]float64{}
	sizes := map[string]map[string][]lap{}
	for _, size := range tinyAnswers {
		if sizes[size], err = w.proxyLaps(ctx, contenders, size, drive.Closed); err != nil {
			return nil, err
		}
		for _, c := range contenders {
			laps := sizes[size][c.name]
			parts[c.name+", "+size+", requests/s"] = median(each(laps, rate))
			if c.pid != 0 {
				parts[c.name+", "+size+", CPU µs/request"] = median(each(laps, cpu))
			}
		}
	}
	note := fmt.Sprintf("%d clients on the machine of the proxy and the backend; the value is that for 300 bytes, the parts have 6 KB too; "+
		"nginx with as many workers as CPUs, Caddy with its defaults, both with keep-alive to the backend and without a log", clients)
	figure := func(key, over, under string, value func(lap) float64) (Figure, bool) {
		small := sizes[tinyAnswers[0]]
		if len(small[under]) == 0 {
			return Figure{}, false
		}
		rounds := ratios(small[over], small[under], value)
		return Figure{Key: key, Value: median(rounds), Rounds: rounds, Parts: parts, Notes: []string{note}}, true
	}
	var figures []Figure
	add := func(f Figure, there bool) {
		if there {
			figures = append(figures, f)
		}
	}
	add(figure("6 nginx", gateway, nginx, rate))
	add(figure("6 caddy", gateway, caddy, rate))
	if parts[nginx+", small, CPU µs/request"] > 0 { // nothing without /proc
		add(figure("6 cpu", gateway, nginx, cpu))
	}
	return figures, missing
}

// fixedRate is that of row 7, in requests per second.
const fixedRate = 2000

// mostDelay is how much the generator may add to the 99th percentile of row 7, which is about tenths of a millisecond. What it
// adds, it adds to every contender's.
const mostDelay = 2 * time.Millisecond

// addedLatency compares what the gateway and Caddy add to the 99th percentile at a fixed rate.
func addedLatency(ctx context.Context, w *world) ([]Figure, error) {
	defer func() { _ = w.stopExtra(context.WithoutCancel(ctx)) }()
	contenders, missing, err := w.proxies(ctx, caddy)
	if err != nil {
		return nil, err
	}
	if missing != nil {
		return nil, missing
	}
	open := func(ctx context.Context, l drive.Load) (*load.Tally, error) {
		l.Clients = 64
		result, err := drive.Open(ctx, l, fixedRate)
		if err != nil || l.Length < w.options.Length { // a shorter one warms up
			return result, err
		}
		if own := result.Delays.Percentile(99); own > mostDelay {
			err = fmt.Errorf("the generator itself delayed one request in a hundred by %s or more: the machine is too busy", own)
		}
		return result, err
	}
	laps, err := w.proxyLaps(ctx, contenders, tinyAnswers[0], open)
	if err != nil {
		return nil, err
	}
	p99 := func(l lap) float64 { return l.p99ms }
	parts := map[string]float64{}
	for _, c := range contenders {
		parts[c.name+", p99 ms"] = median(each(laps[c.name], p99))
	}
	// The difference of two percentiles of one round may well be noise; that of their medians is less so.
	ours := parts[gateway+", p99 ms"] - parts[direct+", p99 ms"]
	theirs := parts[caddy+", p99 ms"] - parts[direct+", p99 ms"]
	if theirs <= 0 {
		return nil, skip(fmt.Sprintf("Caddy added nothing to the p99 of %.2f ms: the machine is too noisy for this one",
			parts[direct+", p99 ms"]))
	}
	return []Figure{{Key: "7", Value: max(ours, 0) / theirs, Parts: parts,
		Notes: []string{fmt.Sprintf("300 bytes at %d requests/s; added is the median p99 of the rounds less that of the backend asked directly", fixedRate)}}}, nil
}

// proxyLaps lets all answer with one size.
func (w *world) proxyLaps(ctx context.Context, contenders []contender, size string, run func(context.Context, drive.Load) (*load.Tally, error)) (map[string][]lap, error) {
	asked := slices.Clone(contenders)
	for i := range asked {
		r, err := drive.Get(asked[i].base, "/v1/things/"+size)
		if err != nil {
			return nil, err
		}
		asked[i].request = func(int) drive.Request { return r }
	}
	return w.inTurns(ctx, asked, run)
}

// proxies starts the backend, the gateway and the other proxies. Those that are not installed are named in a skip.
func (w *world) proxies(ctx context.Context, others ...string) (found []contender, missing error, err error) {
	backend, _, err := w.probeServer(ctx, "tiny")
	if err != nil {
		return nil, nil, err
	}
	found = append(found, contender{name: direct, base: backend})
	ours, err := w.startGateway(ctx, backend)
	if err != nil {
		return nil, nil, err
	}
	found = append(found, ours)
	starts := map[string]func(context.Context, string, string) (contender, error){nginx: w.startNginx, caddy: w.startCaddy}
	var absent []string
	for _, name := range others {
		path, err := findProgram(strings.ToLower(name))
		if err != nil {
			absent = append(absent, err.Error())
			continue
		}
		other, err := starts[name](ctx, path, strings.TrimPrefix(backend, "http://"))
		if err != nil {
			absent = append(absent, err.Error())
			continue
		}
		found = append(found, other)
	}
	if len(absent) > 0 {
		missing = skip(strings.Join(absent, "; "))
	}
	return found, missing, nil
}

// findProgram looks on PATH, and where system programs are that users do not have on it.
func findProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"} {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

func (w *world) startGateway(ctx context.Context, backend string) (contender, error) {
	address, err := freeAddress()
	if err != nil {
		return contender{}, err
	}
	ops, err := freeAddress()
	if err != nil {
		return contender{}, err
	}
	routes := filepath.Join(w.dir, "routes-tiny.json")
	content := fmt.Sprintf(`{"routes": [{"prefix": "/v1/things", "upstreams": [%q], "token": "pass"}]}`, backend)
	if err := os.WriteFile(routes, []byte(content), 0o644); err != nil {
		return contender{}, err
	}
	process, err := w.start(ctx, address, local.Command{Name: "gateway", Path: w.gateway, Env: []string{
		"ADDR=" + address, "OPS_ADDR=" + ops, "ROUTES_FILE=" + routes, "RATE_LIMIT=1000000/s",
	}})
	if err != nil {
		return contender{}, err
	}
	return contender{name: gateway, base: "http://" + address, pid: process.PID()}, nil
}

func (w *world) startNginx(ctx context.Context, path, backend string) (contender, error) {
	address, err := freeAddress()
	if err != nil {
		return contender{}, err
	}
	dir := filepath.Join(w.dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return contender{}, err
	}
	var temporary strings.Builder // or it writes below /var
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "  %s_temp_path %s/%s;\n", what, dir, what)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // its workers have to reach the folder; they serve this machine alone
	}
	config := fmt.Sprintf(`%sworker_processes auto;
daemon off;
pid %s/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
%s  access_log off;
  keepalive_requests 1000000000;
  upstream backend { server %s; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen %s;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`, user, dir, temporary.String(), backend, address)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return contender{}, err
	}
	process, err := w.start(ctx, address, local.Command{Name: "nginx", Path: path, Args: []string{"-p", dir, "-e", "stderr", "-c", file}})
	if err != nil {
		return contender{}, err
	}
	return contender{name: nginx, base: "http://" + address, pid: process.PID()}, nil
}

func (w *world) startCaddy(ctx context.Context, path, backend string) (contender, error) {
	address, err := freeAddress()
	if err != nil {
		return contender{}, err
	}
	dir := filepath.Join(w.dir, "caddy")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return contender{}, err
	}
	config := fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n}\nhttp://%s {\n\treverse_proxy %s\n}\n", address, backend)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return contender{}, err
	}
	process, err := w.start(ctx, address, local.Command{
		Name: "caddy", Path: path, Args: []string{"run", "--config", file, "--adapter", "caddyfile"},
		Env:   []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "PATH=" + os.Getenv("PATH")},
		Grace: 3 * time.Second,
	})
	if err != nil {
		return contender{}, err
	}
	return contender{name: caddy, base: "http://" + address, pid: process.PID()}, nil
}
