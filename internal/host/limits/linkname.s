// This file lets limits.go declare a function without a body.
