package filereader

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// childVariable makes the test binary the process that reads a file.
const childVariable = "DIBAO_TEST_FILE_READER"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	command := Command()
	command.SetArgs(nil)
	if err := command.Execute(); err != nil {
		os.Exit(1)
	}
}

// TestFileReaderIsConfined examines the process while it waits for its file: the kernel
// limits its address space and CPU time, and ends it before the daemon.
func TestFileReaderIsConfined(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	file, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer file.Close()
	want := []string{
		fmt.Sprintf("Max address space %d %d bytes", childAddresses, childAddresses),
		fmt.Sprintf("Max cpu time %.0f %.0f seconds", fileProcessor.Seconds(), fileProcessor.Seconds()),
		"oom_score_adj " + oomFirst,
	}
	var seen string
	for ctx.Err() == nil {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		seen = "oom_score_adj " + string(score)
		for line := range strings.Lines(string(limits)) {
			seen += strings.Join(strings.Fields(line), " ") + "\n"
		}
		missing := 0
		for _, w := range want {
			if !strings.Contains(seen, w+"\n") {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("want %q in\n%s", want, seen)
}
