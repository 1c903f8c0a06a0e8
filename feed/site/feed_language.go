package site

// languageTag returns the BCP 47 tag of one of our languages, for the <language> of a feed
// or calendar: that of its list or search, or else Chinese.
func languageTag(language string) string {
	if language == "en" {
		return "en"
	}
	return "zh-CN"
}
