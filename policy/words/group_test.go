package words

import "testing"

// A group finds what each of its expressions finds alone.
func TestGroup(t *testing.T) {
	t.Parallel()
	all := []*Regexp{New(`企业(?:$|[^名])`), New(`^\d+\s*元`), New(`(?:申报|申请)(?:单位|人)`), New(`a\p{Han}`), New(`.`)}
	g := NewGroup(all...)
	for _, s := range []string{"", "企业", "企业名", "12 元", "申报单位是企业", "申请人", "a企业名", "12元\xff申报人", "業"} {
		want := uint64(0)
		for i, re := range all {
			if re.MatchString(s) {
				want |= 1 << i
			}
		}
		if got := g.Match(s); got != want {
			t.Errorf("%q: %b, want %b", s, got, want)
		}
		if may := g.May(s); may&want != want {
			t.Errorf("%q: %b may match, %b do", s, may, want)
		}
	}
}
