package channel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"dibao/internal/redact"
)

// secret is the content of a channel's file: for a bot with an address, the address and on
// the second line the signing key; otherwise a token.
type secret struct {
	address string
	token   string
}

// maxSecret is the maximum size of the file, in bytes.
const maxSecret = 4 << 10

// open reads the secret of a channel, and checks that its kind can use it. The file must
// be readable by its owner only.
func (c Channel) open() (target, error) {
	s, ok := services[c.Kind]
	if !ok {
		return target{}, fmt.Errorf("this version of dibao does not support channels of kind %q", c.Kind)
	}
	t := target{Channel: c}
	if c.SecretFile == "" && s.optional {
		return t, t.check(s)
	}
	lines, err := readSecret(c.SecretFile)
	if err != nil {
		return t, err
	}
	if !s.bot {
		if len(lines) > 1 {
			return t, fmt.Errorf("%s has more than one line; it must hold the token only", c.SecretFile)
		}
		t.secret.token = lines[0]
		return t, t.check(s)
	}
	t.secret.address = lines[0]
	if len(lines) > 1 {
		t.secret.token = lines[1]
	}
	if checkAddress(t.secret.address) != nil {
		return t, fmt.Errorf("the first line of %s is not the address of a bot; copy it from the settings of the group", c.SecretFile)
	}
	return t, t.check(s)
}

func (t target) check(s service) error {
	if s.check == nil {
		return nil
	}
	return s.check(t)
}

// readSecret returns the lines of a secret file, and makes the log hide them from now on.
func readSecret(file string) (lines []string, err error) {
	if file == "" {
		return nil, fmt.Errorf("there is no secret file; specify it with --secret-file")
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read the secret file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the secret file %s is not a file", file)
	case info.Size() > maxSecret:
		return nil, fmt.Errorf("the secret file %s is longer than %d bytes", file, maxSecret)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("other users can read the secret file %s; run: chmod 600 %s", file, file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the secret file: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
			register(line)
		}
	}
	if len(lines) == 0 || len(lines) > 2 {
		return nil, fmt.Errorf("the secret file %s has %d lines; see: dibao list channel add --help", file, len(lines))
	}
	return lines, nil
}

// register removes a line of a secret file from logs and errors, even if only the key in an
// address appears.
func register(line string) {
	redact.Register(line)
	u, err := url.Parse(line)
	if err != nil || u.Host == "" {
		return
	}
	parts := []string{u.RequestURI(), path.Base(u.Path)}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, p := range parts {
		if len(p) >= shortestKey {
			redact.Register(p)
		}
	}
}

// shortestKey is the minimum length of a key in the address of a bot; shorter parts are
// words.
const shortestKey = 20

// AbsoluteFile returns the path of a secret file as it is stored, because the daemon runs
// in another folder. "" stays "".
func AbsoluteFile(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	return filepath.Abs(file)
}

// group identifies the group to which the limits of the service apply: channels of
// several lists may lead to one group. It reveals nothing: a key has over 100 random
// bits.
func (t target) group() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{t.Kind, t.Address, t.Room, t.secret.address}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
