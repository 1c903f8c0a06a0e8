package digest_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// OpenDKIM, given the keys as in DNS, verifies what we send: each signature by itself, RSA
// and Ed25519, and neither if a byte of the body is changed.
func TestOpenDKIM(t *testing.T) {
	t.Parallel()
	const program = "/usr/sbin/opendkim"
	installed(t, program, "opendkim")
	raw, records := signedDigest(t)
	dir := t.TempDir()
	var keys strings.Builder
	for name, text := range records {
		keys.WriteString(name + " " + text + "\n")
	}
	config := write(t, dir, "opendkim.conf", "Mode v\nTestPublicKeys "+write(t, dir, "keys", keys.String())+"\nSyslog no\nRequireSafeKeys no\n")
	verify := func(raw []byte) string {
		out, _ := exec.Command(program, "-x", config, "-vvv", "-t", write(t, dir, "message", string(raw))).CombinedOutput() // the error is ignored: the output names bad signatures
		return string(out)
	}
	// A message with each signature alone: OpenDKIM accepts a message with one good
	// signature.
	signatures, rest := splitSignatures(t, raw)
	for _, s := range signatures {
		kind := "rsa-sha256"
		if strings.Contains(s, "a=ed25519-sha256") {
			kind = "ed25519-sha256"
		}
		if out := verify([]byte(s + rest)); !strings.Contains(out, "dkim=pass") || !strings.Contains(out, "header.a="+kind) {
			t.Errorf("%s: %s", kind, out)
		}
		changed := bytes.Replace([]byte(s+rest), []byte("Subject: "), []byte("Subject: x"), 1)
		if out := verify(changed); strings.Contains(out, "dkim=pass") {
			t.Errorf("%s: a changed message is verified: %s", kind, out)
		}
	}
	if out := verify(raw); !strings.Contains(out, "dkim=pass") {
		t.Errorf("both: %s", out)
	}
}

// splitSignatures returns the DKIM-Signature fields of a message, and the rest of it.
func splitSignatures(t *testing.T, raw []byte) (signatures []string, rest string) {
	t.Helper()
	header, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	var fields []string
	for line := range strings.SplitSeq(header, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			fields[len(fields)-1] += "\r\n" + line
		} else {
			fields = append(fields, line)
		}
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "DKIM-Signature:") {
			signatures = append(signatures, f+"\r\n")
		} else {
			rest += f + "\r\n"
		}
	}
	if len(signatures) != 2 {
		t.Fatalf("%d signatures", len(signatures))
	}
	return signatures, rest + "\r\n" + body
}
