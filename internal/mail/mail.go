// Package mail builds messages and sends them to a server.
//
// [Prepare] builds the part that all readers of a variant share once (jordan-wright/email
// behind a guard that refuses CR, LF and NUL in every header value); [Prepared.Append] fills
// in one reader. [Dial] opens a pipelining SMTP connection with a deadline on every read and
// write. What a reply means for a reader is not decided here.
//
// Sources: RFC 5321, 5322, 2045-2047, 2369, 2920, 2919, 3207, 4954, 8058.
package mail
