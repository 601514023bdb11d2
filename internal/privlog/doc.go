// Package privlog keeps the privacy log: an append-only log in which deletions and consents leave a mark that nobody, the
// operator included, can take away or change unseen.
//
// It is a tile-based transparency log (C2SP tlog-tiles, github.com/transparency-dev/tessera) in the data folder. Its checkpoint is signed
// with a key of its own and can be fetched by anybody, with the tiles, under /log/; whoever keeps a checkpoint can later check that
// the log only grew.
//
// A leaf holds a kind, a day and a commitment: HMAC-SHA-256 of what is stated under a random key. The key (the opening) is in the
// person's receipt, and for what is kept about a person sealed under their key. So the log says nothing about anybody, and when the
// opening is gone, nothing ties a leaf to what it stated.
//
// Enter writes a leaf to SQL in the caller's transaction; from there it goes to the log in batches. Nothing waits for the
// log: a deletion that could not be logged yet is logged later. A crash between the log and the note of the leaf's place logs it a
// second time, which costs a leaf and nothing else.
//
// A log that is lost, or set back with its folder, begins anew under a new key, and every leaf that SQL still has is entered
// again. Receipts taken before stay good under the old key. So no log quietly forks: who knows the old key sees that it is another.
package privlog
