`timescale 1ns / 1ps
// requantizer: one lane, from a complete accumulator to an output code; takes a new one every cycle.
// FOLD = 1   c+4 acc   c+5 acc*m, m = m_pos if acc >= 0 else m_neg   c+6 y = clamp(round(.., shift), lo, hi)
// FOLD = 0   c+5 acc*M1   c+6 y1 = saturate(round(.., shift))   c+7 y2 = y1, or if negative saturate(round(y1*alpha, 14))
//            c+8 y2*M2    c+9 y = clamp(round(.., shift2), lo, hi)
// A lane past the layer's channels (keep = 0) writes 0.
module requantizer #(
    parameter ACC  = 32,
    parameter AO   = 11,                // bits of an output lane
    parameter MB   = 16,                // bits of a multiplier's magnitude
    parameter SB   = 6,                 // bits of a shift
    parameter FOLD = 1,
    parameter MODE = 0                  // rounding, see round_shift
) (
    input  wire                   clk,
    input  wire signed [ACC-1:0]  acc,      // c+4
    input  wire signed [MB:0]     m_pos,    // c+4
    input  wire signed [MB:0]     m_neg,    // c+4
    input  wire        [SB-1:0]   shift,    // c+5
    input  wire signed [15:0]     alpha,    // c+6, unfolded only
    input  wire signed [MB:0]     m2,       // c+7, unfolded only
    input  wire        [SB-1:0]   shift2,   // c+8, unfolded only
    input  wire signed [AO:0]     lo,
    input  wire signed [AO:0]     hi,
    input  wire                   keep,     // c+5, unfolded c+8
    output reg         [AO-1:0]   y         // c+6, unfolded c+9
);
    localparam HALF = 1 << SB;                                    // bits that 2^(s-1) needs, sign included
    localparam PA   = ACC + MB + 1;
    localparam PB   = ((PA > HALF) ? PA : HALF) + 1;
    localparam QA   = AO + 1 + MB + 1;
    localparam QB   = ((QA > HALF) ? QA : HALF) + 1;

    function signed [AO:0] clamp;
        input signed [PB-1:0] value;
        input signed [AO:0]   low, high;
        begin
            if (value < low)       clamp = low;
            else if (value > high) clamp = high;
            else                   clamp = value[AO:0];
        end
    endfunction

    reg signed [PA-1:0] product;
    wire signed [PB-1:0] rounded;
    wire signed [PB-1:0] wide = product;

    round_shift #(.BITS(PB), .SB(SB), .MODE(MODE)) u_round (.p(wide), .s(shift), .y(rounded));

    generate
        if (FOLD != 0) begin : g_folded
            wire signed [AO:0] code = clamp(rounded, lo, hi);
            always @(posedge clk) begin
                product <= acc * (acc[ACC-1] ? m_neg : m_pos);
                y       <= keep ? code[AO-1:0] : {AO{1'b0}};
            end
        end else begin : g_unfolded
            localparam signed [AO:0] LOW  = -(1 << (AO-1));
            localparam signed [AO:0] HIGH = (1 << (AO-1)) - 1;

            reg  signed [AO-1:0] y1, y2;
            reg  signed [QA-1:0] product2;
            wire signed [AO+15:0] scaled = y1 * alpha;
            wire signed [AO+16:0] scaled_wide = scaled;
            wire signed [AO+16:0] slope;
            wire signed [QB-1:0] wide2 = product2;
            wire signed [QB-1:0] rounded2;

            round_shift #(.BITS(AO+17), .SB(4), .MODE(MODE)) u_slope (.p(scaled_wide), .s(4'd14), .y(slope));
            round_shift #(.BITS(QB), .SB(SB), .MODE(MODE)) u_round2 (.p(wide2), .s(shift2), .y(rounded2));

            wire signed [AO:0] code1 = clamp(rounded, LOW, HIGH);
            wire signed [AO-1:0] code2 = (slope < LOW) ? LOW[AO-1:0] : (slope > HIGH) ? HIGH[AO-1:0] : slope[AO-1:0];
            wire signed [AO:0] code3 = (rounded2 < lo) ? lo : (rounded2 > hi) ? hi : rounded2[AO:0];
            always @(posedge clk) begin
                product  <= acc * m_pos;
                y1       <= code1[AO-1:0];
                y2       <= y1[AO-1] ? code2 : y1;
                product2 <= y2 * m2;
                y        <= keep ? code3[AO-1:0] : {AO{1'b0}};
            end
        end
    endgenerate
endmodule
