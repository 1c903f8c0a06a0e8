package policy

import (
	"strings"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// The forms of English titles and texts, to which the Chinese forms do not apply.
var (
	englishAsks = words.New(`(?i)\b(?:consultation|call for (?:evidence|views|comments|input)|requests? for comments?|proposed rule(?:making)?|public comments?)\b`)
	// englishAfter matches titles about the results of a consultation.
	englishAfter  = words.New(`(?i)\b(?:outcome|responses?|results?|summary)\b`)
	englishCalls  = words.New(`(?i)\b(?:we (?:are|want|would like)\b.{0,40}\b(?:views|comments|consulting)|consultation (?:will )?(?:closes?|runs?|ends?)|comments (?:must|should|may) be (?:received|submitted)|(?:seeking|inviting|invites) (?:[a-z]+ )?(?:views|comments)|(?:is|are) proposing to)\b`)
	englishRule   = words.New(`(?i)^(?:executive order|proclamation|memorandum|circular|directive|regulation|policy statement|code of practice)\b|\b(?:act|regulations?|rules?|order|guidance|guidelines|directive|circular|code of practice|policy|strategy|framework|action plan|white paper|bill)(?: \(?(?:19|20)\d{2}\)?)?$`)
	englishSpeech = words.New(`(?i)\b(?:speech|remarks|keynote|(?:oral|written|opening|ministerial) statement|address (?:to|at))\b`)
	englishNews   = words.New(`(?i)\b(?:announces?|unveils?|launche[sd]|says|said|publishe[sd]|killed|wins?|meets|visits|signs|welcomes|approves?|approval|warns|urges|appoints|appointed|released|found|begins|marks|responsible for)\b`)
	englishDay    = words.New(`(?i)\b(?:today|yesterday|this (?:week|morning)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|has (?:announced|said)|(?:said|announced|told)\b)`)
	englishPlace  = words.New(`^[A-Z][A-Z. ]{2,}(?:,[^—–-]{0,30})?\s?(?:\([^)]{2,20}\)\s?)?[—–-]\s`)
	englishOpens  = words.New(`^(?:With permission|(?:Mr|Madam) (?:Deputy )?(?:Speaker|Chairman|President)|Thank you|Good (?:morning|afternoon|evening)|Ladies and gentlemen|My Lords)\b`)
	englishAdvice = words.New(`(?i)\byour?\b`)
)

// english adds the evidence of an English title and text.
func (u *understanding) english(score kindScore) {
	head := u.Paragraphs[:min(len(u.Paragraphs), kindLines)]
	if isChinese(u.Title + strings.Join(head[:min(len(head), 2)], "")) {
		return
	}
	switch title := u.Title; {
	case englishAsks.MatchString(title) && !englishAfter.MatchString(title):
		score[KindConsultation] += certain
	case englishSpeech.MatchString(title):
		score[KindOther] += formal
	case englishNews.MatchString(title):
		score[KindNews] += fair
	case englishRule.MatchString(title):
		score[KindDocument] += fair
	}
	advice := 0
	for i, p := range head {
		p = cut.First(p, 2*bylineReach)
		switch {
		case i == 0 && englishPlace.MatchString(p):
			score[KindNews] += strong
		case i < 2 && englishDay.MatchString(p):
			score[KindNews] = max(score[KindNews], slight)
		}
		if i == 0 && englishOpens.MatchString(p) {
			score[KindOther] += formal
		}
		if i < 3 && englishCalls.MatchString(p) {
			score[KindConsultation] = max(score[KindConsultation], formal)
		}
		if englishAdvice.MatchString(p) {
			advice++
		}
	}
	if advice >= 2 {
		score[KindOther] += slight
	}
}
