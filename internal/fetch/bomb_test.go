package fetch

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"dibao/internal/trust"
)

func gzipped(t *testing.T, b []byte) []byte {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, 9)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(b)
	z.Close()
	return buf.Bytes()
}

func brotlied(b []byte) []byte {
	var buf bytes.Buffer
	z := brotli.NewWriterLevel(&buf, 9)
	z.Write(b)
	z.Close()
	return buf.Bytes()
}

func zstded(t *testing.T, b []byte, opts ...zstd.EOption) []byte {
	z, err := zstd.NewWriter(nil, append(opts, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}

// zstdFrame is the beginning of a frame that requires a window of 2^(10+exponent) bytes.
func zstdFrame(exponent byte, blocks ...[]byte) []byte {
	frame := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3}, bytes.Join(blocks, nil)...)
	return frame
}

// zstdRLE is a block of three bytes and one that expands to 128 kB.
func zstdRLE(last bool) []byte {
	header := uint32(128<<10)<<3 | 1<<1
	if last {
		header |= 1
	}
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], header)
	return []byte{b[0], b[1], b[2], 'x'}
}

// A body that is small when compressed and large when decompressed takes no more memory
// than the limit, in any coding, and the error describes the problem.
func TestBombs(t *testing.T) {
	const limit = 5 << 20
	most, tried := uint64(0), 0
	zeros := make([]byte, 64<<20)
	small := []byte("<rss/>")
	var deflated, zlibbed bytes.Buffer
	d, _ := flate.NewWriter(&deflated, 9)
	d.Write(zeros)
	d.Close()
	z := zlib.NewWriter(&zlibbed)
	z.Write(zeros)
	z.Close()
	var rle [][]byte
	for range 1000 {
		rle = append(rle, zstdRLE(false))
	}
	rle = append(rle, zstdRLE(true))
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f}, small...)
	for name, c := range map[string]struct {
		coding string
		body   []byte
		want   string // text in the error; "" means none
	}{
		"gzip":                     {"gzip", gzipped(t, zeros), "max_bytes"},
		"br":                       {"br", brotlied(zeros), "max_bytes"},
		"zstd":                     {"zstd", zstded(t, zeros), "max_bytes"},
		"zstd of blocks of a byte": {"zstd", zstdFrame(10, rle...), "max_bytes"},
		"deflate":                  {"deflate", deflated.Bytes(), "not requested"},
		"zlib as deflate":          {"deflate", zlibbed.Bytes(), "not requested"},
		"deflate as gzip":          {"gzip", deflated.Bytes(), "gzip"},
		"gzip in gzip":             {"gzip, gzip", gzipped(t, gzipped(t, zeros)), "not requested"},
		"gzip in br":               {"gzip, br", brotlied(gzipped(t, zeros)), "not requested"},
		"gzip and gzip, two lines": {"gzip + gzip", gzipped(t, gzipped(t, small)), "not requested"},
		"identity and gzip":        {"identity, gzip", gzipped(t, zeros), "not requested"},
		"1,000 codings":            {strings.Repeat("gzip, ", 999) + "gzip", gzipped(t, small), "not requested"},
		"gzip, joined":             {"gzip", bytes.Repeat(gzipped(t, zeros[:1<<20]), 20), "max_bytes"},
		"zstd, joined":             {"zstd", bytes.Repeat(zstded(t, zeros[:1<<20]), 20), "max_bytes"},
		"gzip of nothing, joined":  {"gzip", bytes.Repeat(gzipped(t, nil), limit/len(gzipped(t, nil))), ""},
		"zstd of nothing, joined":  {"zstd", bytes.Repeat(zstdFrame(13, []byte{1, 0, 0}), limit/9), ""},
		"zstd, window of 16 MB":    {"zstd", zstdFrame(14, zstdRLE(true)), "window"},
		"zstd, window of 2 GB":     {"zstd", zstdFrame(21, zstdRLE(true)), "window"},
		"zstd, window of 2 TB":     {"zstd", zstdFrame(31, zstdRLE(true)), "window"},
		"zstd, a frame to skip":    {"zstd", skippable, "zstd"},
		"zstd, cut":                {"zstd", zstdFrame(10, rle[:3]...), "zstd"},
		"gzip, cut":                {"gzip", gzipped(t, small)[:15], "gzip"},
		"br, cut":                  {"br", brotlied(small)[:4], "br"},
		"br, a large window":       {"br", []byte{0x11, 0x1e, 0, 0, 0, 0, 0, 0, 0, 0}, "br"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Encoding"] = strings.Split(c.coding, " + ")
				w.Write(c.body)
			}))
			defer server.Close()
			client := New(Options{MaxBytes: limit, Timeout: 20 * time.Second, AllowPrivate: true})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := client.Get(t.Context(), Request{URL: server.URL})
			runtime.ReadMemStats(&after)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			n := (after.TotalAlloc - before.TotalAlloc) >> 20
			if most, tried = max(most, n), tried+1; n > 60 {
				t.Errorf("%d MB were allocated", n)
			}
		})
	}
	trust.Report(t, "compression bombs", "%d MB allocated, %d kinds", most, tried)
}
