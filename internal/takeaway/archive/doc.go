// Package archive lays entries out as one zip file that exists nowhere.
//
// Whoever makes an archive knows each entry's name, length and CRC-32 beforehand; then every byte
// of the file is determined, its size is known before any of it is read, and a read at any offset
// opens only the entry it touches. A download that broke off goes on where it was, and a file may
// be larger than any disk here.
//
// Entries are stored as they are (films do not get smaller). Sizes and offsets beyond 4 GiB, and
// more than 65535 entries, are written as Zip64 (APPNOTE.TXT 6.3.10, 4.3.14, 4.3.15 and 4.5.3);
// names are UTF-8 (bit 11). Nothing is encrypted.
//
// The package knows bytes and names, and nothing of people, rooms or keys.
package archive
