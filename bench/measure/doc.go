// Package measure runs pipelines against each other in turns and sums up what
// they cost. A pipeline is compared with the bare runs just before and after
// its own (A B A B …), so that a machine that slows down meanwhile slows both;
// what is reported is the median over the rounds. The programs of bench call it.
package measure
