module dockersh

go 1.26
