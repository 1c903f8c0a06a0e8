package subscribers

import (
	"crypto/sha256"
	"math/bits"
	"time"
)

const (
	// proofWait is how long a form must be open if the browser does not compute a proof.
	proofWait = time.Minute
	// workBits is the number of leading zero bits that a SHA-256 hash must
	// have, so that finding one takes about 2^20 hashes: one to eight seconds
	// in a browser.
	workBits = 20
	maxWork  = 20 // maximum number of characters of the proof
)

// proofOf returns the proof in a form of this age. Only a form that was shown to the same
// network counts.
func proofOf(stamp, work string, age time.Duration, same bool) Proof {
	switch {
	case !same:
		return ProofNone
	case work != "" && len(work) <= maxWork && leadingZeros(sha256.Sum256([]byte(stamp+":"+work))) >= workBits:
		return ProofWorked
	case age >= proofWait:
		return ProofWaited
	}
	return ProofNone
}

func leadingZeros(sum [sha256.Size]byte) (n int) {
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n
}
