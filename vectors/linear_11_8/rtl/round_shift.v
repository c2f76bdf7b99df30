`timescale 1ns / 1ps
// round_shift: y = p / 2^s rounded, combinational. MODE 0 half-up, 1 half-away, 2 half-even, 3 floor; s = 0: p.
// The constant 2^(s-1) is held for every s, also above the width of p: BITS must exceed it by a sign.
module round_shift #(
    parameter BITS = 66,
    parameter SB   = 6,
    parameter MODE = 0
) (
    input  wire signed [BITS-1:0] p,
    input  wire        [SB-1:0]   s,
    output wire signed [BITS-1:0] y
);
    wire signed [BITS-1:0] one    = {{(BITS-1){1'b0}}, 1'b1};
    wire signed [BITS-1:0] half   = (one <<< s) >>> 1;
    wire signed [BITS-1:0] below  = p >>> s;
    wire signed [BITS-1:0] adjust;

    generate
        if (MODE == 0)      begin : g_up   assign adjust = half; end
        else if (MODE == 1) begin : g_away assign adjust = half - {{(BITS-1){1'b0}}, p[BITS-1]}; end
        else if (MODE == 2) begin : g_even assign adjust = half - {{(BITS-1){1'b0}}, ~below[0]}; end
        else                begin : g_floor assign adjust = {BITS{1'b0}}; end
    endgenerate

    wire signed [BITS-1:0] rounded = (p + adjust) >>> s;
    assign y = (s == {SB{1'b0}}) ? p : rounded;
endmodule
