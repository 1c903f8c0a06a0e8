package warn

import (
	"encoding/json"
	"testing"
)

// Earlier versions of dibao stored sentences.
func TestStoredWarningsStayReadable(t *testing.T) {
	t.Parallel()
	var got []Warning
	if err := json.Unmarshal([]byte(`["its file was not read: x",{"code":"redated","params":["2023-02-09","2015-08-10"]},{"code":"deadlines-differ"}]`), &got); err != nil {
		t.Fatal(err)
	}
	want := []Warning{New("stored", "its file was not read: x"), New("redated", "2023-02-09", "2015-08-10"), New("deadlines-differ")}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		if !got[i].Equal(w) {
			t.Errorf("got %+v, want %+v", got[i], w)
		}
	}
}
