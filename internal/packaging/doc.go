// Package packaging holds what is installed with the programs, and builds the
// packages and archives that are released: the script build is what the targets
// deb and release of the Makefile run, the directory deb has the files of the
// Debian package.
//
// The package takes the place of Debian's and Ubuntu's own package supervisor:
// it has its name, its paths and its configuration files. There is no Go code
// here but tests, which install the package on a system booted by systemd.
package packaging
