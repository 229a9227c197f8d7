package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started, and the CPU time it has taken.
type process struct {
	cmd  *exec.Cmd
	errs bytes.Buffer
	addr string
}

// start runs a command until stop. It returns when addr can be connected to.
func start(addr string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(args[0], args[1:]...), addr: addr}
	p.cmd.Stdout, p.cmd.Stderr = &p.errs, &p.errs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return p, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen: %s", args[0], p.errs.Bytes())
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// cpu is the CPU time of the process so far, to the clock tick (10 ms).
func (p *process) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// rss is the resident memory of the process in bytes.
func (p *process) rss() (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0, errors.New("no VmRSS in /proc/PID/status")
	}
	n, err := strconv.ParseInt(f[0], 10, 64)
	return n << 10, err
}

// port returns one that is free.
func port() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// files are how many bodies of a size there are, none like another.
const files = 200

// site makes what the origin serves: under small JSON of 8 kB, under text and data bodies of 1 MB.
func site(dir string) error {
	r := mrand.New(mrand.NewPCG(1, 2))
	words := make([]string, 2000)
	for i := range words {
		words[i] = strconv.FormatUint(r.Uint64()>>(20+r.IntN(30)), 36)
	}
	text := func(size int) []byte {
		b := []byte(`{"items":[`)
		for len(b) < size {
			b = fmt.Appendf(b, `{"id":%d,"name":"%s %s","price":%d.%02d,"tags":["%s","%s"],"stock":%d},`, r.IntN(1e6),
				words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(500), r.IntN(100), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(1000))
		}
		return b[:size]
	}
	for kind, size := range sizes {
		if err := os.MkdirAll(filepath.Join(dir, kind), 0o755); err != nil {
			return err
		}
		n := files
		if size > 1<<16 {
			n = 16
		}
		for i := range n {
			b, ext := text(int(size)), "json"
			if kind == "data" {
				ext = "jpg"
				for j := range b {
					b[j] = byte(r.Uint32())
				}
			}
			if err := os.WriteFile(filepath.Join(dir, kind, fmt.Sprintf("%d.%s", i, ext)), b, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

var sizes = map[string]int64{"small": 8 << 10, "text": 1 << 20, "data": 1 << 20}

func paths(kind string) []string {
	n, ext := files, "json"
	if sizes[kind] > 1<<16 {
		n = 16
	}
	if kind == "data" {
		ext = "jpg"
	}
	var ps []string
	for i := range n {
		ps = append(ps, fmt.Sprintf("/%s/%d.%s", kind, i, ext))
	}
	return ps
}

// certificate makes a self-signed one for the servers.
func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}), 0o600))
}

// nginx starts one process of nginx with these servers in its configuration.
func nginx(program, dir, name, addr, servers string) (*process, error) {
	conf := filepath.Join(dir, name+".conf")
	text := fmt.Sprintf(`daemon off; master_process off; worker_rlimit_nofile 65536;
pid %[1]s/%[2]s.pid; error_log stderr error;
events { worker_connections 32768; }
http {
  types { application/json json; image/jpeg jpg; }
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 1h; open_file_cache max=1000;
  ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
  client_body_temp_path %[1]s/tmp; proxy_temp_path %[1]s/tmp; fastcgi_temp_path %[1]s/tmp; uwsgi_temp_path %[1]s/tmp; scgi_temp_path %[1]s/tmp;
%[3]s
}
`, dir, name, servers)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return start(addr, program, "-e", "stderr", "-p", dir, "-c", conf)
}
