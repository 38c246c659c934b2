/* Prints the tier in use, so that build.sh knows which tiers this machine has. */
#include "gumbel4j.h"

#include <stdio.h>

int main(void)
{
    puts(gumbel4j_isa());
    return 0;
}
