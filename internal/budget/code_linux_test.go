package budget

import (
	"reflect"
	"testing"

	"github.com/prometheus/procfs"
)

// Much of the code's memory is released, and the program continues.
func TestReleaseCode(t *testing.T) {
	ofFiles := func() (bytes uint64) {
		self, err := procfs.Self()
		if err != nil {
			t.Fatal(err)
		}
		status, err := self.NewStatus()
		if err != nil {
			t.Fatal(err)
		}
		return status.RssFile
	}
	before := ofFiles()
	if err := ReleaseCode(); err != nil {
		t.Fatal(err)
	}
	if after := ofFiles(); after >= before {
		t.Errorf("%d bytes of files are in memory, before %d", after, before)
	}
}

// Memory that is writable or was changed is never released, nor is that of other files.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	const maps = `00400000-00401000 r--p 00000000 fe:01 123                        /usr/bin/dibao
Size:                  4 kB
Anonymous:             0 kB
Swap:                  0 kB
00401000-01902000 r-xp 00001000 fe:01 123                        /usr/bin/dibao
Anonymous:             0 kB
03000000-03001000 r--p 02c22000 fe:01 123                        /usr/bin/dibao
Anonymous:             4 kB
03001000-03002000 r--p 02c23000 fe:01 123                        /usr/bin/dibao
Anonymous:             0 kB
Swap:                  4 kB
03022000-03024000 rw-p 02c24000 fe:01 123                        /usr/bin/dibao
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0 
Anonymous:          1024 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:01 9                  /usr/lib/libc.so.6
Anonymous:             0 kB
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0                  [vdso]
`
	if got, want := unchanged([]byte(maps), "/usr/bin/dibao"), []memory{{0x400000, 0x401000}, {0x401000, 0x1902000}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %x", got)
	}
}
