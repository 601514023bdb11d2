// Package notice tells people what they must be told: that something happened to their data (an incident),
// that the service ends (a closing), that somebody else takes it over (a controller).
//
// A notice is written by the operator in a file and declared once. It cannot be declared half: each kind has
// parts that the law and our promises ask for, and each part has to be there in every language of the app.
// Whom it concerns is counted when it is declared: everybody, the owners of cameras, or whoever's data was opened
// in a stretch of time, as their access chains tell.
//
// # Telling
//
// Each person concerned has a row that says how far telling them is. They are written to, and see the notice in
// the app until they have read it. Choices about messages do not come into it. Whoever cannot be written to
// within three days is unreachable, and from then on the notice can be read by everybody, without signing in.
// A closing and a change of controller can be from the start.
//
// # Clocks
//
// An incident has to be reported to the authority 72 hours after the operator came to know of it; what is late is
// counted and said by the doctor. A service ends at the earliest 30 days after that was declared. From its end
// on the gate lets nothing happen but what people may ask for: seeing, copying, deleting. On the day that the
// notice names, accounts are closed as if each person had asked. Because that cannot be undone, a clock that
// jumps does not bring it about: the program has to have seen 20 different days since the declaration.
//
// The words are the operator's and about nobody; who is concerned is about people, and goes with them.
package notice
