package publish

import "testing"

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"https://a.example", "https://a.example/"},
		{"HTTPS://A.Example:443/X", "https://a.example/X"},
		{"http://a.example:80/?q=养老", "http://a.example/?q=%E5%85%BB%E8%80%81"},
		{"https://a.example/民政/%e6%b0?[x]|^#节", "https://a.example/%E6%B0%91%E6%94%BF/%E6%B0?%5Bx%5D%7C%5E#%E8%8A%82"},
		{"https://a.example/?a=100%&b=%zz", "https://a.example/?a=100%25&b=%25zz"},
		{"https://a.example/%25e6", "https://a.example/%25e6"},
		{"https://例子.example/", "https://xn--fsqu00a.example/"},
		{"https://u:p@a.example/", "https://a.example/"},
		{"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},
		{"javascript:alert(1)", ""}, {"//a.example/", ""}, {"https:///x", ""}, {"mailto:a@b.example", ""}, {"https://a b.example/", ""}, {"", ""},
	} {
		got := address(c.in)
		if got != c.want {
			t.Errorf("address(%q) = %q, want %q", c.in, got, c.want)
		}
		if again := address(got); again != got {
			t.Errorf("address(%q) = %q, again %q", c.in, got, again)
		}
	}
}

// FuzzAddress checks that a result is not changed when it is processed again.
func FuzzAddress(f *testing.F) {
	f.Add("https://例子.example:443/民政?%zz#%e6")
	f.Fuzz(func(t *testing.T, s string) {
		if a := address(s); address(a) != a {
			t.Fatalf("%q gives %q, then %q", s, a, address(a))
		}
	})
}
