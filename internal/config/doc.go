// Package config turns a configuration file into a typed, immutable Config.
//
// It owns everything between the bytes of the file and the values that the
// rest of the program works with: the line rules of the Windows-INI dialect
// that Supervisor reads, includes, %-expansion, the data types of all keys,
// and the comparison of two configurations. Every error names the file, the
// section and the key. gopkg.in/ini.v1 is used here and nowhere else.
package config
